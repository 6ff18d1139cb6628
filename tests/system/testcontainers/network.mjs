// SPDX-License-Identifier: GPL-2.0-or-later
// Two containers in a network of their own, one with a name in it and a port of the host; run by tests/system/test_testcontainers.py.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { GenericContainer, Network, Wait } = createRequire('/opt/testcontainers/')('testcontainers');

const network = await new Network().start();
const server = await new GenericContainer('busybox')
        .withNetwork(network)
        .withNetworkAliases('backend')
        .withExposedPorts(80)
        .withCommand(['sh', '-c', 'echo hello >/index.html; exec httpd -f'])
        .withWaitStrategy(Wait.forHttp('/', 80))
        .withStartupTimeout(30000)
        .start();
assert.equal(await (await fetch(`http://localhost:${server.getMappedPort(80)}/`)).text(), 'hello\n');
console.log('published');

const client = await new GenericContainer('busybox').withNetwork(network).withCommand(['sleep', '1000']).start();
assert.equal((await client.exec(['wget', '-qO-', 'http://backend/'])).output, 'hello\n');
assert.match(server.getIpAddress(network.getName()), /^\d+\.\d+\.\d+\.\d+$/);
console.log('found');

await Promise.all([client.stop({ timeout: 0 }), server.stop({ timeout: 0 })]);
await network.stop();
console.log('stopped');
process.exit(0);
