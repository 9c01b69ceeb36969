#!/usr/bin/env bash
# Installs what is missing: for `make build` (build), also for the examples that
# `make serve` builds (serve), for the tests (test), or for the tests and the
# comparisons with other clients (peers). If nothing is missing, it takes a second.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-}
case "$what" in
  build | serve | test | peers) ;;
  *) echo "usage: tests/setup.sh build|serve|test|peers" >&2; exit 2 ;;
esac

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
has rustup || fail "rustup is missing; install it from https://rustup.rs and run this again"
has cc || fail "a C compiler is missing; install it (Debian: apt-get install build-essential) and run this again"
has node || fail "Node.js is missing; install version 20.18 or newer and run this again"
node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 18) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old; install version 20.18 or newer"
has npm || fail "npm is missing; install it beside Node.js and run this again"
node pkg/build/written-over.mjs

# rust-toolchain.toml names the toolchain, its target and its components.
channel=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
case "$(rustup target list --toolchain "$channel" --installed 2>/dev/null)" in
  *wasm32-unknown-unknown*) target=there ;;
  *) target=missing ;;
esac
if [ $target = missing ] || ! cargo clippy --version >/dev/null 2>&1 || ! cargo fmt --version >/dev/null 2>&1; then
  say "Rust $channel with the target wasm32-unknown-unknown"
  rustup toolchain install "$channel" --profile minimal --component clippy --component rustfmt --target wasm32-unknown-unknown
fi

# Arguments: crate, its command, version, flags. A debug build takes half the time.
cargo_install() {
  local crate=$1 command=$2 version=$3
  shift 3
  # Not a pipe to grep, whose early exit pipefail would report as a failure.
  case " $("$command" --version 2>/dev/null || true) " in
    *" $version "* | *" $version"[!0-9.]*) return ;;
  esac
  say "cargo install $crate $version (some minutes, once)"
  cargo install "$crate" --version "$version" --debug --force "$@"
}
# Not --locked: the lock file of 0.2.130 names a crate version that no longer exists.
cargo_install wasm-bindgen-cli wasm-bindgen "$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)"

# Installs node_modules unless they match the lock file.
npm_ci() {
  if ! cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock"; then
    say "npm ci in $1"
    npm ci --prefix "$1" --no-audit --no-fund --loglevel error
    cp "$1/package-lock.json" "$1/node_modules/.installed-lock"
  fi
}
npm_ci pkg
[ "$what" = build ] && exit 0
npm_ci examples/react-chat
[ "$what" = serve ] && exit 0
# The peers bring the Node.js that they need, so npm's warnings about this one are left out.
if [ "$what" = peers ]; then
  npm_ci tests/peers 2> >(grep -v EBADENGINE >&2)
  cargo fetch --locked --quiet --manifest-path tests/faults/servicestack-rust/Cargo.toml
fi

npm_ci tests
# Fetches all crates, so that no test needs the network.
for folder in . examples/*-usage-meter tests/oldest-versions; do
  cargo fetch --locked --quiet --manifest-path "$folder/Cargo.toml"
done
cargo_install wasm-pack wasm-pack 0.15.1 --locked
cargo_install cargo-public-api cargo-public-api 0.52.0 --locked

missing=()
has chromium || missing+=(chromium)
has chromedriver || missing+=(chromium-driver)
has firefox-esr || has firefox || missing+=(firefox-esr)
has WebKitWebDriver || missing+=(webkit2gtk-driver)
has xvfb-run && has xauth || missing+=(xvfb xauth)
# The font of the meter's screenshots.
[ -n "$(fc-list Inter 2>/dev/null)" ] || missing+=(fontconfig fonts-inter)
if [ ${#missing[@]} -gt 0 ]; then
  has apt-get || fail "these are missing and there is no apt-get here: ${missing[*]} (Debian's names; install these browsers with their drivers)"
  sudo=
  if [ "$(id -u)" != 0 ]; then
    has sudo || fail "these are missing: ${missing[*]}; install them as root and run this again"
    sudo=sudo
  fi
  say "apt-get install ${missing[*]}"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
cargo_install geckodriver geckodriver 0.37.1 --locked
