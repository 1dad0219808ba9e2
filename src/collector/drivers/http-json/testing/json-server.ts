import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BreakableServer } from '../../../testing/breakable-server.ts';

/** A real server of one JSON document, which a test breaks. */
export class JsonServer extends BreakableServer {
  /** The document as it is sent. */
  body: string | Buffer;
  /** Answers instead of the document. */
  respond: ((response: ServerResponse) => void) | undefined;
  /** The last request. */
  request: IncomingMessage | undefined;

  constructor(document: unknown) {
    super();
    this.body = JSON.stringify(document);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/status`;
  }

  protected create(): Server {
    return createServer((request, response) => {
      this.request = request;
      const closed = () => once(response, 'close');
      void this.answer(closed, (isTruncated) => {
        if (this.respond !== undefined) this.respond(response);
        else response.end(isTruncated ? this.body.slice(0, this.body.length / 2) : this.body);
      });
    });
  }
}
