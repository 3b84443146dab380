/** One HTTP request, bounded and never redirected: what is sent is signed or holds a token. */
import { Agent, type Dispatcher, request } from "undici";

export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly text: string;
}

type Asked = Pick<Dispatcher.RequestOptions, "method" | "body"> & {
  readonly headers?: Record<string, string>;
};

/** Answers are small; of a longer one no more is read, bytes. */
const LONGEST = 8 * 1024 * 1024;

/** A function that asks a server. @param ca PEM of the authority that vouches for it; the system's own where absent */
export function asker(ca: string | undefined) {
  return async (url: string, asked: Asked, signal: AbortSignal): Promise<Answer> => {
    // A connection of its own each time: messages are rare, and none must find one that has died meanwhile.
    const agent = new Agent({ connect: { ca }, pipelining: 0, maxResponseSize: LONGEST });
    try {
      const answer = await request(url, { ...asked, signal, dispatcher: agent });
      return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
    } finally {
      await agent.destroy();
    }
  };
}
