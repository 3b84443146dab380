import { requireAny } from "../access";
import { type Call, type Method, may, WithTotal } from "../method";
import { count, flag, oneOf, optional, text, vmId } from "../parameters";
import type { Task } from "../tasks";

/** A task as the API shows it: a token apart from its user. */
function view({ log: _log, user, ...task }: Task) {
  const [owner] = user.split("!");
  return { ...task, user: owner, ...(owner !== user && { tokenid: user.slice(user.indexOf("!") + 1) }) };
}

/** A token sees its own tasks; a user those of its tokens as well. */
const owns = (who: string, { user }: Task) => user === who || user.split("!")[0] === who;

function visible(call: Call, task: Task): Task {
  if (!owns(call.who, task)) requireAny(call.cluster, call.who, `/nodes/${task.node}`, ["Sys.Audit"]);
  return task;
}

const upid = { upid: text };

/** Tasks of one host, and the cluster's latest. */
export const taskMethods: readonly Method[] = [
  {
    method: "GET",
    path: "/cluster/tasks",
    run({ tasks }, call) {
      return tasks
        .list()
        .filter((task) => owns(call.who, task) || may(call, `/nodes/${task.node}`, "Sys.Audit"))
        .slice(0, 25)
        .map((task) => {
          const { exitstatus, ...rest } = view(task);
          return { ...rest, ...(exitstatus && { status: exitstatus }), saved: exitstatus ? "1" : "0" };
        });
    },
  },
  {
    method: "GET",
    path: "/nodes/{node}/tasks",
    parameters: {
      errors: optional(flag),
      limit: optional(count),
      since: optional(count),
      source: optional(oneOf("archive", "active", "all")),
      start: optional(count),
      typefilter: optional(text),
      until: optional(count),
      userfilter: optional(text),
      vmid: optional(vmId),
    },
    run({ tasks }, call) {
      const { node, source = "archive", vmid, typefilter, since, until, errors, userfilter } = call.values;
      const [start, limit] = [Number(call.values.start ?? 0), Number(call.values.limit ?? 50)];
      const found = tasks
        .list()
        .filter(
          (task) =>
            task.node === node &&
            (source === "all" || (source === "active") === (task.endtime === undefined)) &&
            (vmid === undefined || task.id === String(vmid)) &&
            (!typefilter || task.type === typefilter) &&
            (!userfilter || task.user.includes(String(userfilter))) &&
            (since === undefined || task.starttime >= Number(since)) &&
            (until === undefined || task.starttime <= Number(until)) &&
            (!errors || (task.exitstatus !== undefined && task.exitstatus !== "OK")) &&
            (owns(call.who, task) || may(call, `/nodes/${node}`, "Sys.Audit")),
        );
      const shown = found.slice(start, start + limit).map((task) => {
        const { exitstatus, ...rest } = view(task);
        return { ...rest, ...(task.endtime && { status: exitstatus }) };
      });
      return new WithTotal(shown, found.length);
    },
  },
  {
    method: "GET",
    path: "/nodes/{node}/tasks/{upid}/status",
    parameters: upid,
    run({ tasks }, call) {
      const task = visible(call, tasks.get(String(call.values.upid)));
      const { endtime: _endtime, ...rest } = view(task);
      return { ...rest, status: task.endtime === undefined ? "running" : "stopped" };
    },
  },
  {
    method: "GET",
    path: "/nodes/{node}/tasks/{upid}/log",
    parameters: { ...upid, start: optional(count), limit: optional(count) },
    run({ tasks }, call) {
      const { log } = visible(call, tasks.get(String(call.values.upid)));
      const [start, limit] = [Number(call.values.start ?? 0), Number(call.values.limit ?? 50)];
      const lines = log.map((line, i) => ({ n: i + 1, t: line }));
      return new WithTotal(limit === 0 ? lines.slice(start) : lines.slice(start, start + limit), log.length);
    },
  },
];
