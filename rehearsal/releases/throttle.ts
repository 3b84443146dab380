import { Transform, type TransformCallback } from "node:stream";

/** Passes bytes on at a steady rate: a slow line. */
export class Throttle extends Transform {
  private readonly startedAt = Date.now();
  private passed = 0;

  constructor(private readonly bytesPerSecond: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.passed += chunk.length;
    const due = this.startedAt + (this.passed / this.bytesPerSecond) * 1000;
    setTimeout(() => done(null, chunk), Math.max(0, due - Date.now()));
  }
}
