// SPDX-License-Identifier: GPL-2.0-or-later
// A WebSocket client that we have not written: attach_ws.mjs SOCKET CONTAINER QUERY [INPUT]; prints what comes until the close, and its status.
import { createRequire } from 'node:module';

const require = createRequire('/opt/testcontainers/');
const { Agent, WebSocket } = require('undici');

const [socketPath, container, query, input] = process.argv.slice(2);
const dispatcher = new Agent({ connect: { socketPath } });
const ws = new WebSocket(`ws://localhost/v1.48/containers/${container}/attach/ws?${query}`, { dispatcher });
ws.binaryType = 'arraybuffer';
ws.addEventListener('open', () => input && ws.send(input));
ws.addEventListener('message', ({ data }) => process.stdout.write(typeof data === 'string' ? `text:${data}` : Buffer.from(data)));
ws.addEventListener('close', ({ code }) => {
    console.log(`closed ${code}`);
    dispatcher.destroy();
});
