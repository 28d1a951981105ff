// ws - the fan-out on Node's `ws`, as its documents have it: rooms, numbers, and one send
// for each member. `node ws.js`; prints `port=N`.
const { WebSocketServer } = require('ws');

const rooms = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
	console.log(`port=${server.address().port}`));

function room(name) {
	if (!rooms.has(name))
		rooms.set(name, { head: 0, members: new Set() });
	return rooms.get(name);
}

server.on('connection', (socket) => {
	let joined;
	socket.on('message', (data) => {
		const said = JSON.parse(data);
		if (said.op === 'join') {
			joined = room(said.room);
			joined.members.add(socket);
			socket.send(JSON.stringify({ op: 'joined', room: said.room, head: joined.head }));
		} else if (said.op === 'send') {
			const seq = ++joined.head;
			const message = JSON.stringify({ op: 'message', room: said.room, seq, id: said.id,
				from: 'u0', at: Date.now(), body: said.body });
			for (const member of joined.members)
				member.send(message);
			socket.send(JSON.stringify({ op: 'sent', room: said.room, id: said.id, seq }));
		}
	});
	socket.on('close', () => joined?.members.delete(socket));
});
