/** What HTTP and JSON alone cost: parses each body, counts its events, and keeps nothing. Prints its address. */
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const events: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const accepted = Array.isArray(events) ? events.length : 0;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ accepted }));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});
