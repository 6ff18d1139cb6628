// SPDX-License-Identifier: GPL-2.0-or-later
// A flow as a test suite has it: one step a line, run by tests/system/test_testcontainers.py.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

const { GenericContainer, Wait } = createRequire('/opt/testcontainers/')('testcontainers');

const container = await new GenericContainer('busybox')
        .withNetworkMode('none')
        .withCommand(['sh', '-c', 'cat /etc/greeting; echo ready; trap "exit 0" TERM; while :; do sleep 0.1; done'])
        .withCopyContentToContainer([{ content: 'hello\n', target: '/etc/greeting' }])
        .withEnvironment({ COLOUR: 'blue' })
        .withLabels({ flow: 'yes' })
        .withHealthCheck({ test: ['CMD-SHELL', 'test -e /etc/greeting'], interval: 200, timeout: 2000, retries: 3 })
        .withWaitStrategy(Wait.forAll([Wait.forLogMessage('ready'), Wait.forHealthCheck()]))
        .withStartupTimeout(20000)
        .start();
console.log('started');

const said = await container.exec(['sh', '-c', 'echo $COLOUR; echo problem >&2; exit 5']);
assert.equal(said.exitCode, 5);
assert.equal(said.stdout, 'blue\n');
assert.equal(said.stderr, 'problem\n');
console.log('executed');

await container.copyContentToContainer([{ content: 'copied', target: '/tmp/there' }]);
assert.equal((await container.exec(['cat', '/tmp/there'])).output, 'copied');
assert.match(await text(await container.copyArchiveFromContainer('/tmp/there')), /copied/);
console.log('copied');

const logs = await container.logs();
// testcontainers takes its reference from the socket of the log: without another one node would end, silently, before the first line is there.
const awake = setInterval(() => {}, 1000);
const lines = await new Promise(resolve => {
        let all = '';
        logs.on('data', piece => { all += piece; if (all.includes('ready')) resolve(all); });
});
clearInterval(awake);
assert.match(lines, /hello[^]*ready/);
console.log('logged');

await container.restart();
assert.equal((await container.exec(['cat', '/tmp/there'])).output, 'copied');
console.log('restarted');

await container.stop();
console.log('stopped');
process.exit(0);
