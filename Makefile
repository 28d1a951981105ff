# Parley: one Makefile for everything; `make help` lists the targets.
# MODE=release|asan|tsan|cover builds side by side under build/MODE/{obj,bin}.

MODE ?= release
CC ?= gcc
B := build/$(MODE)
VERSION := 0.1.0

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# ---- what the machine must have -------------------------------------------------

BUILD_PACKAGES := gcc make pkg-config libc6-dev libuv1-dev libwebsockets-dev \
	libwebsockets-evlib-uv libjansson-dev libssl-dev libpq-dev libsqlite3-dev \
	uthash-dev zlib1g-dev
# Debian 12 ships llhttp's C sources with node-llhttp, newer releases a library.
LLHTTP_PACKAGE = $(shell apt-cache show libllhttp-dev >/dev/null 2>&1 && \
	echo libllhttp-dev || echo node-llhttp)
RUN_PACKAGES := curl
TEST_PACKAGES := bats jq curl openssl clang systemd-container clang-format clang-tidy cppcheck libcmocka-dev postgresql \
	nodejs node-ws python3 python3-websockets python3-yaml python3-prometheus-client iproute2 procps util-linux git mandoc

# $(call install,PACKAGES): installs with apt what dpkg does not know yet.
install = @missing=; for p in $(1); do \
		dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | grep -qx installed \
			|| missing="$$missing $$p"; \
	done; \
	[ -z "$$missing" ] || { \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		echo "installing:$$missing"; \
		$$sudo apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends \
			$$missing >/dev/null; }

JOBS ?= $(shell nproc)
# V=1 shows every command; else a word a file.
V ?= 0
ifeq ($(V),0)
say = @printf '  %-4s %s\n' $(1) $(2);
else
say =
endif

# ---- how things are compiled ----------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef \
	-Wno-unused-parameter -Wno-missing-field-initializers
HARDENING := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection -fPIE
LINK_HARDENING := -pie -Wl,-z,relro,-z,now,-z,noexecstack
FLAGS_release := -O2 -g $(HARDENING)
LINK_release := $(LINK_HARDENING)
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
LINK_asan := -fsanitize=address,undefined
# gcc warns of fences, which its thread sanitizer does not follow (the ring has them).
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan
LINK_tsan := -fsanitize=thread
FLAGS_cover := -O0 -g --coverage
LINK_cover := --coverage
ifeq ($(filter $(MODE),release asan tsan cover),)
$(error MODE is one of release asan tsan cover, not '$(MODE)')
endif

PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)
LLHTTP_SOURCES := $(wildcard /usr/share/llhttp/*.c)
ifneq ($(wildcard /usr/include/llhttp.h),)
LLHTTP_SOURCES :=
LLHTTP_LIBS := -lllhttp
else
LLHTTP_CFLAGS := -isystem /usr/share/include/llhttp
endif

LIBPQ_CFLAGS := $(patsubst -I%,-isystem %,$(call pkg,--cflags,libpq))

CPPFLAGS += -I. -D_GNU_SOURCE -DPARLEY_VERSION='"$(VERSION)"' $(LLHTTP_CFLAGS) $(LIBPQ_CFLAGS)
CFLAGS += -std=c11 $(WARNINGS) $(FLAGS_$(MODE))
LDFLAGS += $(LINK_$(MODE))
# The canary alone speaks TLS: stat and probe do without.
HEALTHD_LIBS := -Wl,--as-needed $(call pkg,--libs,openssl) $(call pkg,--libs,libuv) $(call pkg,--libs,jansson) $(LLHTTP_LIBS)
GATEWAY_LIBS := $(call pkg,--libs,libwebsockets) $(call pkg,--libs,libuv) \
	$(call pkg,--libs,jansson) $(call pkg,--libs,openssl) $(call pkg,--libs,zlib) $(call pkg,--libs,libpq) \
	$(call pkg,--libs,sqlite3) $(LLHTTP_LIBS)

# Files named *main.c hold a main(); the rest of each folder is one archive, so
# that unit tests link everything but main().
sources = $(filter-out %main.c,$(wildcard $(addsuffix /*.c,$(1))))
objects = $(patsubst %.c,$(B)/obj/%.o,$(1))
GATEWAY_DIRS := $(patsubst %/,%,gateway/ $(wildcard gateway/*/))
COMMON_OBJECTS := $(call objects,$(call sources,common)) \
	$(patsubst /usr/share/llhttp/%.c,$(B)/obj/llhttp/%.o,$(LLHTTP_SOURCES))
GATEWAY_OBJECTS := $(call objects,$(call sources,$(GATEWAY_DIRS)))
HEALTHD_OBJECTS := $(call objects,$(call sources,healthd))
TOOL_OBJECTS := $(call objects,$(call sources,tests/tools))
CHAOS_OBJECTS := $(call objects,$(call sources,tests/chaos))
COMMON := $(B)/obj/common.a
GATEWAY := $(B)/obj/gateway.a
HEALTHD := $(B)/obj/healthd.a
TOOLKIT := $(B)/obj/tests/tools.a
CHAOSKIT := $(B)/obj/tests/chaos.a

BINS := $(addprefix $(B)/bin/parley-,gateway healthd stat probe)
UNITS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))
TOOLS := $(patsubst tests/tools/%_main.c,$(B)/tests/tools/%,$(wildcard tests/tools/*_main.c)) \
	$(patsubst tests/chaos/%_main.c,$(B)/tests/chaos/%,$(wildcard tests/chaos/*_main.c))
BENCHES := $(patsubst tests/bench/%_main.c,$(B)/tests/bench/%,$(wildcard tests/bench/*_main.c))
FUZZERS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(BINS) ## build the four programs (MODE=release|asan|tsan|cover)

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<) $(CC) $(LLHTTP_CFLAGS) $(FLAGS_$(MODE)) -w -c -o $@ $<

# The chat page is built into the gateway.
PAGES := $(addprefix gateway/web/,index.html style.css page.js page_log.js page_people.js \
	page_state.js page_who.js parley.js icon.svg)
build/web/pages.def: gateway/web/embed $(PAGES)
	@mkdir -p $(@D)
	$(call say,WEB,$@) gateway/web/embed $(PAGES) >$@
$(B)/obj/gateway/web/pages.o build/fuzz/obj/gateway/web/pages.o: build/web/pages.def

# The status page is built into healthd.
STATUS := healthd/web/status.css healthd/web/status.js
build/web/status.def: healthd/web/embed $(STATUS)
	@mkdir -p $(@D)
	$(call say,WEB,$@) healthd/web/embed $(STATUS) >$@
$(B)/obj/healthd/page.o build/fuzz/obj/healthd/page.o: build/web/status.def

$(COMMON): $(COMMON_OBJECTS)
$(GATEWAY): $(GATEWAY_OBJECTS)
$(HEALTHD): $(HEALTHD_OBJECTS)
$(TOOLKIT): $(TOOL_OBJECTS)
$(CHAOSKIT): $(CHAOS_OBJECTS)
$(COMMON) $(GATEWAY) $(HEALTHD) $(TOOLKIT) $(CHAOSKIT):
	@rm -f $@
	$(call say,AR,$@) ar rcsD $@ $^

$(B)/bin/parley-gateway: $(B)/obj/gateway/main.o $(GATEWAY) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(GATEWAY_LIBS)

$(B)/bin/parley-%: $(B)/obj/healthd/%_main.o $(HEALTHD) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HEALTHD_LIBS)

# Gateways that break a promise on purpose, for the checker to find: the files with a
# hook (gateway/breaks.h) are compiled once more and linked before the archive.
BREAKS := ack_before_commit no_unique drop_bus
BREAK_SOURCES := $(shell grep -l '^\#include "gateway/breaks.h"' gateway/*/*.c)
BROKEN := $(patsubst %,$(B)/broken/%/parley-gateway,$(BREAKS))
define broken_rules
$(B)/broken/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(call say,CC,$$<) $$(CC) $$(CPPFLAGS) -DPARLEY_BREAK_$(1)=1 $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(B)/broken/$(1)/parley-gateway: $(B)/obj/gateway/main.o \
		$(patsubst %.c,$(B)/broken/$(1)/%.o,$(BREAK_SOURCES)) $(GATEWAY) $(COMMON)
	$$(call say,LD,$$@) $$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(GATEWAY_LIBS)
endef
$(foreach name,$(BREAKS),$(eval $(call broken_rules,$(name))))

# Gateways of other versions, for tests of the upgrade: `next` has a counter more, `foreign`
# has one by another name. What knows the list or the version is compiled once more.
OTHERS := next foreign
OTHER_SOURCES := $(wildcard common/segment*.c) $(shell grep -l PARLEY_VERSION common/*.c gateway/*/*.c)
OTHER_GATEWAYS := $(patsubst %,$(B)/others/%/parley-gateway,$(OTHERS))
counters_next := '$$aCOUNTER(next_total, TOTAL, "", "next_total", "", "Of the next version")'
counters_foreign := 's/^COUNTER(bus_wakeups,/COUNTER(bus_alarms,/'
define other_rules
$(B)/others/$(1)/include/common/counters.def: common/counters.def Makefile
	@mkdir -p $$(@D)
	$$(call say,SED,$$@) sed -e $$(counters_$(1)) $$< >$$@
$(B)/others/$(1)/%.o: %.c $(B)/others/$(1)/include/common/counters.def
	@mkdir -p $$(@D)
	$$(call say,CC,$$<) $$(CC) -I$(B)/others/$(1)/include $$(CPPFLAGS) -UPARLEY_VERSION \
		-DPARLEY_VERSION='"$(VERSION)-$(1)"' $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(B)/others/$(1)/parley-gateway: $(B)/others/$(1)/gateway/main.o \
		$(patsubst %.c,$(B)/others/$(1)/%.o,$(OTHER_SOURCES)) $(GATEWAY) $(COMMON)
	$$(call say,LD,$$@) $$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(GATEWAY_LIBS)
endef
$(foreach name,$(OTHERS),$(eval $(call other_rules,$(name))))

# ---- manual pages and example settings ------------------------------------------

# What they say of settings comes from settings.def, like README's table.
MAN_PAGES := $(addprefix $(B)/man/,parley-gateway.8 parley-healthd.8 parley-stat.1 \
	parley-probe.1 parley.7)
EXAMPLES := $(addprefix $(B)/examples/,gateway.env healthd.env)
vpath %.8 gateway healthd
vpath %.1 healthd
vpath %.7 common

manuals: $(MAN_PAGES) $(EXAMPLES) ## make the manual pages and the example settings files

$(B)/settings: $(B)/obj/common/settings_main.o $(COMMON)
	$(call say,LD,$@) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LLHTTP_LIBS)

$(MAN_PAGES): $(B)/man/%: % $(B)/settings
	@mkdir -p $(@D)
	$(call say,MAN,$@) awk '/^\.\\" settings / { fflush(); system("$(B)/settings mdoc " $$3); next } \
		{ gsub("@VERSION@", "$(VERSION)"); print }' $< >$@

$(B)/examples/%.env: systemd/%.env $(B)/settings
	@mkdir -p $(@D)
	$(call say,ENV,$@) { cat $< && $(B)/settings example $*; } >$@

# ---- tests, tools, benchmarks ---------------------------------------------------

$(B)/tests/unit/%: tests/unit/%.c $(GATEWAY) $(HEALTHD) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< \
		$(GATEWAY) $(HEALTHD) $(COMMON) -lcmocka $(GATEWAY_LIBS)

$(B)/tests/tools/%: tests/tools/%_main.c $(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< \
		$(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON) $(GATEWAY_LIBS)

$(B)/tests/chaos/%: tests/chaos/%_main.c $(CHAOSKIT) $(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< \
		$(CHAOSKIT) $(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON) $(GATEWAY_LIBS)

$(B)/tests/bench/%: tests/bench/%_main.c $(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@) $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< \
		$(TOOLKIT) $(GATEWAY) $(HEALTHD) $(COMMON) $(GATEWAY_LIBS)

# Fuzzers compile their sources once more with clang's instrumentation.
FUZZ_FLAGS := -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -w
FUZZ_SOURCES := $(call sources,common $(GATEWAY_DIRS) healthd)
FUZZ_OBJECTS := $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_SOURCES)) \
	$(patsubst /usr/share/llhttp/%.c,build/fuzz/obj/llhttp/%.o,$(LLHTTP_SOURCES))
build/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<) clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
build/fuzz/obj/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<) clang $(LLHTTP_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
build/fuzz/parley.a: $(FUZZ_OBJECTS)
	@rm -f $@
	$(call say,AR,$@) ar rcsD $@ $^
build/fuzz/fuzz_%: tests/fuzz/fuzz_%.c build/fuzz/parley.a
	@mkdir -p $(@D)
	$(call say,LD,$@) clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $< build/fuzz/parley.a \
		$(GATEWAY_LIBS)

FUZZ_SECONDS ?= 600
fuzz: $(FUZZERS) ## fuzz every parser, FUZZ_SECONDS each (default 600)
	tests/run fuzz $(FUZZ_SECONDS)

units: $(UNITS) ## build and run the unit tests only
	tests/run unit

test: deps-test ## install what is missing, build, run every test
	$(MAKE) -j$(JOBS) all units-built
	tests/run all

units-built: manuals $(UNITS) $(TOOLS) $(FUZZERS) $(BROKEN) $(OTHER_GATEWAYS) ## build everything that tests need
broken: $(BROKEN) ## build gateways that break a promise, for the checker to find
tools: $(TOOLS) ## build what tests drive the programs with
benches: $(BENCHES) $(TOOLS) ## build the benchmarks
fuzzers: $(FUZZERS) ## build the fuzzers

check: all lint format-check layers ## everything that reads the code

CHAOS_MINUTES ?= 10
CHAOS_SEED ?= $(shell echo $$RANDOM)
CHAOS_STORE ?= postgresql
CHAOS_CLIENTS ?= 500
chaos: deps-test ## every fault together under load, a verdict a promise: CHAOS_MINUTES, CHAOS_SEED, CHAOS_STORE, CHAOS_CLIENTS
	$(MAKE) -j$(JOBS) all tools
	tests/chaos/ordeal --store $(CHAOS_STORE) --seed $(CHAOS_SEED) --clients $(CHAOS_CLIENTS) \
		--seconds $$(($(CHAOS_MINUTES) * 60))

chaos-table: deps-test ## how soon each single fault is told and mended: median and worst of TABLE_TIMES (20)
	$(MAKE) -j$(JOBS) all tools
	tests/chaos/table --times $(TABLE_TIMES)
TABLE_TIMES ?= 20

SOAK_MINUTES ?= 60
soak: deps-test ## moderate load for SOAK_MINUTES (60), counted and weighed every minute
	$(MAKE) -j$(JOBS) all tools
	tests/chaos/ordeal --faults none --store $(CHAOS_STORE) --seed $(CHAOS_SEED) \
		--clients $(CHAOS_CLIENTS) --calm 60 --seconds $$(($(SOAK_MINUTES) * 60))

CHAOS_SECONDS ?= 60
CHAOS_SEEDS ?= 1 2 3 4 5
CHAOS_STORES ?= sqlite postgresql
delivery: deps-test ## delivery alone under harm: CHAOS_SECONDS for each of CHAOS_SEEDS on each of CHAOS_STORES
	$(MAKE) -j$(JOBS) all tools
	@failed=; for store in $(CHAOS_STORES); do for seed in $(CHAOS_SEEDS); do \
		tests/chaos/run --store $$store --seed $$seed --seconds $(CHAOS_SECONDS) \
			|| failed="$$failed $$store:$$seed"; \
	done; done; \
	[ -z "$$failed" ] || { echo "violations with store:seed$$failed"; exit 1; }

readme: $(B)/settings ## put the table of settings into README.md
	sed -i -e '/^<!-- settings -->$$/,/^<!-- \/settings -->$$/{//!d}' \
		-e "/^<!-- settings -->\$$/r /dev/stdin" README.md <<<"$$($< table)"

bench: deps all benches ## run the benchmarks (figures, no verdict)
	tests/bench/run

# Packages of servers may start them, too.
PEER_PACKAGES := nginx libnginx-mod-nchan nats-server mosquitto nodejs
bench-peers: ## install the servers that the fan-out is compared with (others are left out)
	$(call install,$(PEER_PACKAGES) $$(command -v npm >/dev/null || echo npm))
	@mkdir -p build/bench/peers
	cp tests/bench/peers/package.json tests/bench/peers/package-lock.json build/bench/peers
	cd build/bench/peers && npm ci --silent --no-audit --no-fund

deps: ## install what building and running need (apt)
	$(call install,$(BUILD_PACKAGES) $(LLHTTP_PACKAGE) $(RUN_PACKAGES))
deps-test: ## install what the tests need (apt, npm)
	$(call install,$(BUILD_PACKAGES) $(LLHTTP_PACKAGE) $(TEST_PACKAGES))
	$(call install,$$(command -v npm >/dev/null || echo npm))
	@# Not a package everywhere; without it the tests in a browser are skipped.
	$(call install,$$(apt-cache show chromium >/dev/null 2>&1 && echo chromium))
	@$(MAKE) --no-print-directory browser-driver || \
		echo "what drives a browser cannot be had: the tests in one are skipped"
	@$(MAKE) --no-print-directory promtool || \
		echo "promtool cannot be had: the tests of metrics and alerts with it are skipped"
	@# The fuzzers' run-time library is a package of clang's own version.
	$(call install,$$(clang --version | sed -n 's/.*version \([0-9]*\).*/libclang-rt-\1-dev/p;q'))

# What drives the browser in tests/web/browser; npm checks it against the lock file.
browser-driver: build/web/tests/node_modules/.package-lock.json ## install what drives a browser (npm)
build/web/tests/node_modules/.package-lock.json: tests/web/package.json tests/web/package-lock.json
	@mkdir -p build/web/tests
	cp $^ build/web/tests
	cd build/web/tests && npm ci --silent --no-audit --no-fund
	@touch $@

# What reads metrics and alert rules. Its package would start a server: only taken out of it.
promtool: $(if $(shell command -v promtool),,build/prometheus/usr/bin/promtool)
build/prometheus/usr/bin/promtool:
	@mkdir -p build/prometheus
	cd build/prometheus && apt-get download -qq prometheus && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && rm prometheus_*.deb

screenshots: all tools browser-driver ## make the pictures of both pages, for the README and to look at
	node tests/web/browser/screenshots.mjs
	node tests/web/browser/status_screenshots.mjs

run: deps ## run the gateway and healthd until Ctrl-C
	$(MAKE) -j$(JOBS) all
	gateway/run $(B)

# ---- reading the code -----------------------------------------------------------

ALL_C := $(wildcard common/*.[ch] healthd/*.[ch] gateway/*.[ch] gateway/*/*.[ch] \
	tests/*/*.[ch])

lint: build/web/pages.def build/web/status.def ## clang-tidy, cppcheck and the rules of the house
	tests/lint

# For tests/lint: one flag a line.
print-cppflags: ## the preprocessor's flags, one a line
	@printf '%s\n' $(CPPFLAGS)

format-check: ## fail when a file is not as clang-format has it
	clang-format --dry-run --Werror $(ALL_C)

format: ## rewrite all files as clang-format has it
	clang-format -i $(ALL_C)

layers: ## fail on an include that points up; each header compiles alone
	tests/layers

# ---- installing -----------------------------------------------------------------

# PREFIX=/usr is what packages take; DESTDIR is put before every path.
DESTDIR ?=
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SYSCONFDIR ?= /etc
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/parley
PLACES = BUILD='$(B)' $(foreach name,DESTDIR BINDIR SYSCONFDIR UNITDIR SYSUSERSDIR \
	TMPFILESDIR MANDIR DOCDIR,$(name)='$($(name))')

install: all manuals ## install programs, units, manual pages and documents under DESTDIR and PREFIX
	@$(PLACES) systemd/install install

uninstall: ## remove what `make install` put there; settings that were changed stay
	@$(PLACES) systemd/install uninstall

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 16
	@echo
	@echo 'Variables: MODE (of the build), JOBS, V=1 (show commands), CC; for install and uninstall DESTDIR,'
	@echo 'PREFIX, BINDIR, SYSCONFDIR, UNITDIR, SYSUSERSDIR, TMPFILESDIR, MANDIR, DOCDIR.'

SHELL := /bin/bash

.PHONY: all manuals readme chaos chaos-table soak delivery broken fuzz units test units-built tools benches fuzzers check bench \
	deps deps-test browser-driver promtool screenshots run lint print-cppflags format-check format layers install \
	uninstall clean help
.SECONDARY:

-include $(shell find $(B) build/fuzz -name '*.d' 2>/dev/null)
