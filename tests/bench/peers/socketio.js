// socketio - the fan-out on Socket.IO, as its documents have it: its own rooms and acks.
// `node socketio.js`; prints `port=N`.
const { createServer } = require('node:http');
const { Server } = require('socket.io');

const heads = new Map();
const http = createServer();
const io = new Server(http, { transports: ['websocket'] });

io.on('connection', (socket) => {
	socket.on('join', (room) => {
		socket.join(room);
		socket.emit('joined', { head: heads.get(room) ?? 0 });
	});
	socket.on('send', (said, acknowledge) => {
		const seq = (heads.get(said.room) ?? 0) + 1;
		heads.set(said.room, seq);
		io.to(said.room).emit('message', { seq, id: said.id, from: 'u0', at: Date.now(), body: said.body });
		acknowledge({ seq });
	});
});
http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`port=${http.address().port}`));
