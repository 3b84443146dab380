"""Drives the Proxmox VE stand-in with proxmoxer, which was written for real clusters and knows nothing of it.

usage: python proxmoxer_client.py TestCase...
environment: PVE_PORT, PVE_CA (file), PVE_TOKEN_ID (user@realm!name), PVE_TOKEN_SECRET, and PVE_AUDITOR_SECRET of the
same user's token `auditor`, which may only look
"""

import os
import time
import unittest

from proxmoxer import ProxmoxAPI, ResourceException
from proxmoxer.tools import Tasks

USER, TOKEN_NAME = os.environ["PVE_TOKEN_ID"].split("!")


def connect(secret=os.environ["PVE_TOKEN_SECRET"], token_name=TOKEN_NAME):
    return ProxmoxAPI(
        "127.0.0.1",
        port=int(os.environ["PVE_PORT"]),
        user=USER,
        token_name=token_name,
        token_value=secret,
        verify_ssl=os.environ["PVE_CA"],
        timeout=10,
    )


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.api = connect()
        self.vm = self.api.nodes("node01").qemu(3001)

    def ended(self, upid):
        """Waits as proxmoxer does; returns how the task ended."""
        status = Tasks.blocking_status(self.api, upid, timeout=20, polling_interval=0.05)
        self.assertEqual("stopped", status["status"])
        self.assertEqual(upid, status["upid"])
        return status["exitstatus"]

    def names(self):
        return [snapshot["name"] for snapshot in self.vm.snapshot.get()]

    def refused(self, status, call, *args, **parameters):
        with self.assertRaises(ResourceException) as caught:
            call(*args, **parameters)
        self.assertEqual(status, caught.exception.status_code)
        return caught.exception


class Reading(ClientTest):
    def test_version(self):
        self.assertRegex(self.api.version.get()["version"], r"^9\.\d")

    def test_machines_of_a_node_and_of_the_cluster(self):
        self.assertEqual([3001], [vm["vmid"] for vm in self.api.nodes("node01").qemu.get()])
        everywhere = self.api.cluster.resources.get(type="vm")
        self.assertEqual({"node01": 3001, "node03": 3002, "node07": 3007}, {vm["node"]: vm["vmid"] for vm in everywhere})

    def test_quorum_and_space(self):
        self.assertEqual([1], [e["quorate"] for e in self.api.cluster.status.get() if e["type"] == "cluster"])
        status = self.api.nodes("node01").storage("nvmethin01").status.get()
        self.assertEqual("lvmthin", status["type"])
        self.assertEqual(status["total"], status["used"] + status["avail"])

    def test_power_state(self):
        self.assertEqual("running", self.vm.status.current.get()["status"])


class Snapshots(ClientTest):
    def test_snapshot_rollback_and_delete(self):
        self.assertTrue(self.vm.feature.get(feature="snapshot")["hasFeature"])

        upid = self.vm.snapshot.post(snapname="before", description="Größe 1 & 2", vmstate=0)
        decoded = Tasks.decode_upid(upid)
        self.assertEqual(("node01", "qmsnapshot", "3001"), (decoded["node"], decoded["type"], decoded["id"]))
        self.assertEqual(USER, decoded["user"])
        self.assertEqual("OK", self.ended(upid))
        self.assertIn("TASK OK", Tasks.decode_log(self.api.nodes("node01").tasks(upid).log.get()))
        self.assertEqual(["before", "current"], self.names())
        self.assertEqual("Größe 1 & 2", self.vm.snapshot.get()[0]["description"].rstrip("\n"))
        self.assertEqual("before", self.vm.snapshot.get()[1]["parent"])

        self.assertEqual("OK", self.ended(self.vm.snapshot("before").rollback.post()))
        self.assertEqual("stopped", self.vm.status.current.get()["status"])
        self.assertEqual("OK", self.ended(self.vm.status.start.post()))
        self.assertEqual("running", self.vm.status.current.get()["status"])

        self.assertEqual("OK", self.ended(self.vm.snapshot("before").delete()))
        self.assertEqual(["current"], self.names())

    def test_failures_come_inside_the_task(self):
        self.assertEqual("OK", self.ended(self.vm.snapshot.post(snapname="twice")))
        self.assertEqual("snapshot name 'twice' already used", self.ended(self.vm.snapshot.post(snapname="twice")))
        self.assertEqual("OK", self.ended(self.vm.snapshot("twice").delete()))
        self.assertEqual("snapshot 'twice' does not exist", self.ended(self.vm.snapshot("twice").delete()))
        self.assertEqual("snapshot 'twice' does not exist", self.ended(self.vm.snapshot("twice").rollback.post()))


class Clones(ClientTest):
    def test_a_snapshot_is_cloned_unplugged_booted_looked_into_and_destroyed(self):
        self.assertEqual("OK", self.ended(self.vm.snapshot.post(snapname="origin")))
        self.assertTrue(self.vm.feature.get(feature="clone", snapname="origin")["hasFeature"])
        newid = int(self.api.cluster.nextid.get())
        upid = self.vm.clone.post(newid=newid, name="copy", description="to be destroyed", snapname="origin", full=0)
        self.assertEqual("OK", self.ended(upid))
        copy = self.api.nodes("node01").qemu(newid)
        config = copy.config.get()
        self.assertEqual("to be destroyed", config["description"].strip())
        self.assertNotEqual(self.vm.config.get()["net0"], config["net0"])

        self.assertEqual("OK", self.ended(copy.config.post(net0=config["net0"] + ",link_down=1", onboot=0)))
        self.assertTrue(copy.config.get()["net0"].endswith("link_down=1"))
        self.assertEqual("VM %d is not running" % newid, self.refused(500, copy.agent.ping.post).content.strip())
        self.assertEqual("OK", self.ended(copy.status.start.post()))
        self.assertEqual({"result": {}}, copy.agent.ping.post())

        command = ["bash", "-c", "cat"]
        pid = copy.agent.exec.post(**{"command": command, "input-data": "a & b\n"})["pid"]
        deadline = time.monotonic() + 10
        status = copy.agent("exec-status").get(pid=pid)
        while not status["exited"] and time.monotonic() < deadline:
            status = copy.agent("exec-status").get(pid=pid)
        self.assertEqual((1, 0), (status["exited"], status["exitcode"]))
        self.refused(500, copy.agent("exec-status").get, pid=pid)

        self.assertIn("destroy failed", self.refused(500, copy.delete).content)
        self.assertEqual("OK", self.ended(copy.status.stop.post()))
        self.assertEqual("OK", self.ended(copy.delete(purge=1)))
        self.assertEqual("OK", self.ended(self.vm.snapshot("origin").delete()))

    def test_a_card_that_breaks_the_format(self):
        error = self.refused(400, self.vm.config.post, net0="nonsense")
        self.assertEqual(["net0"], list(error.errors))


class Refusals(ClientTest):
    def test_an_unknown_machine(self):
        error = self.refused(500, self.api.nodes("node01").qemu(999).config.get)
        self.assertEqual("Configuration file 'nodes/node01/qemu-server/999.conf' does not exist", error.content.strip())

    def test_a_name_that_breaks_the_format(self):
        error = self.refused(400, self.vm.snapshot.post, snapname="1st")
        self.assertIn("Parameter verification failed.", error.content)
        self.assertEqual({"snapname": "invalid format - invalid configuration ID '1st'\n"}, error.errors)

    def test_a_parameter_that_is_missing(self):
        error = self.refused(400, self.vm.snapshot.post, description="no name")
        self.assertEqual({"snapname": "property is missing and it is not optional"}, error.errors)

    def test_a_right_that_is_missing(self):
        auditor = connect(os.environ["PVE_AUDITOR_SECRET"], "auditor").nodes("node01").qemu(3001)
        error = self.refused(403, auditor.snapshot.post, snapname="mine")
        self.assertEqual("Permission check failed (/vms/3001, VM.Snapshot)", error.content.strip())

    def test_a_path_that_is_unknown(self):
        error = self.refused(501, self.api.nodes("node01").nonsense.get)
        self.assertEqual("Method 'GET /nodes/node01/nonsense' not implemented", error.content.strip())

    def test_a_token_that_is_wrong(self):
        self.refused(401, connect("00000000-0000-0000-0000-000000000000").version.get)


if __name__ == "__main__":
    unittest.main()
