/**
 * An error as Proxmox VE reports it. Thrown while a request is handled it becomes the answer's status and message;
 * thrown inside a task it becomes the task's exit status.
 */
export class PveError extends Error {
  constructor(
    message: string,
    readonly status = 500,
    /** What is wrong with which parameter. */
    readonly errors?: Readonly<Record<string, string>>,
  ) {
    super(message);
  }
}

/** The answer to parameters that break the method's schema. */
export function parameterError(errors: Record<string, string>): PveError {
  return new PveError("Parameter verification failed.", 400, errors);
}
