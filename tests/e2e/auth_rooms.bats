# What a token says of rooms is what its bearer may do in them.

load lib
load auth
setup() { setup_daemons; }
teardown() { teardown_daemons; }

ask() { # ask OP ROOM REF: sends it and waits for the answer
	echo "{\"op\":\"$1\",\"room\":\"$2\",\"id\":\"$3\",\"body\":$3,\"ref\":$3}" >&"$IN"
	await 3000 grep -q "\"ref\":$3[,}]" "$OUT"
}

answer() { # answer REF: its op and code
	grep "\"ref\":$1[,}]" "$OUT" | jq -r '[.op, .code // empty] | join(" ")'
}

@test "join and send only where a pattern of the token allows it" {
	start_jwt
	bearer "$(token '{"sub":"ann","exp":"+60","parley":{"join":["lobby","team.*"],"send":["team.*.chat"]}}')"
	ask join lobby 1
	ask join lobby2 2
	ask join team.a.chat 3
	ask send team.a.chat 4
	ask send lobby 5
	ask send elsewhere 6
	[ "$(answer 1)" = joined ]
	[ "$(answer 2)" = 'error forbidden' ]
	[ "$(answer 3)" = joined ]
	[ "$(answer 4)" = sent ]
	[ "$(answer 5)" = 'error forbidden' ]
	[ "$(answer 6)" = 'error not_member' ]
	kill -0 "$CLIENT"
}

@test "a token that names no rooms opens all of them, or none where the settings say so" {
	start_jwt
	bearer "$(token '{"sub":"ann","exp":"+60"}')"
	ask join anywhere 1
	ask send anywhere 2
	[ "$(answer 1) $(answer 2)" = 'joined sent' ]
	kill -TERM "$GATEWAY"
	await 5000 gone "$GATEWAY"
	kill -KILL "$HEALTHD"

	start_jwt PARLEY_JWT_ROOMS_DEFAULT=none
	bearer "$(token '{"sub":"ann","exp":"+60"}')"
	ask join anywhere 1
	[ "$(answer 1)" = 'error forbidden' ]
	bearer "$(token '{"sub":"bob","exp":"+60","parley":{"join":["*"]}}')"
	ask join anywhere 1
	ask send anywhere 2
	[ "$(answer 1)" = joined ]
	[ "$(answer 2)" = 'error forbidden' ]
}
