// stock_client - chats with the other stock client through the gateway.
const WebSocket = require('ws');
const scheme = process.argv[3] ?? 'ws';
const ws = new WebSocket(`${scheme}://127.0.0.1:${process.argv[2]}/chat?user=node`, ['parley.v1'],
  { perMessageDeflate: process.argv[4] === 'deflate' ? { threshold: 0 } : false });
const say = (message) => ws.send(JSON.stringify(message));

ws.on('message', (data) => {
  const got = JSON.parse(data);
  if (got.op === 'welcome') say({ op: 'join', room: 'stock' });
  if (got.op === 'joined') say({ op: 'send', room: 'stock', id: 'n1', body: 'hello from node' });
  if (got.op === 'message' && got.from === 'python') {
    console.log('node heard:', got.body);
    ws.close(1000);
  }
});
ws.on('close', (code) => console.log('closed', code));
ws.on('error', (error) => { console.error(error); process.exit(1); });
