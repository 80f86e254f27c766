#!/bin/sh
# Answers the calls of mage in workflow files: it makes the files and outputs that the targets make, and needs what they need. RECORD is a file for
# the calls, and FAIL is the target that fails.
fail() { echo "error: $*" >&2; exit 1; }
said="$GITHUB_JOB: mage"
for a in "$@"; do
	case $a in *"$RUNNER_TEMP"*) a="${a%%"$RUNNER_TEMP"*}TEMP${a#*"$RUNNER_TEMP"}" ;; esac
	for word in $a; do said="$said $word"; done
done
for n in UV_CONFIG_FILE BUILDKIT_SBOM_GENERATOR ACTIONS_ID_TOKEN_REQUEST_TOKEN DEPLOY_SSH_PRIVATE_KEY DEPLOY_KNOWN_HOSTS; do
	eval "v=\$$n"
	[ -z "$v" ] || said="$said [$n]"
done
version=$(python3 --version 2>/dev/null)
printf '%s\n' "$said [$version]" >>"$RECORD"

history() {
	if [ "$(git rev-parse --is-shallow-repository)" = true ]; then echo "this clone is shallow: what has changed is not known"; fi
}
python() { [ -n "$version" ] || fail "no Python"; }
# login needs a right of the token that the job has logged in with. $1 is a pattern for the right.
login() {
	read -r token 2>/dev/null <"$HOME/.docker-ghcr.io" || fail "401: not logged in to ghcr.io"
	case $token in *$1*) ;; *) fail "403: the token may not: $1" ;; esac
}
[ "$FAIL" != "$1" ] || fail "it fails"
for a in "$@"; do
	case $a in
	-digests=) fail "-digests is empty" ;;
	-from=* | -compare=*) ls "${a#*=}"/*.conda >/dev/null 2>&1 || fail "no artifact in ${a#*=}" ;;
	esac
done
mkdir -p output
case "$1 $2" in
build:all*)
	history
	python
	case "$*" in
	*-compare=*) case "$*" in *of-the-build*) ;; *) fail "other digests" ;; esac ;;
	esac
	echo a >output/a.conda
	echo '{}' >output/digests.json
	echo digests=of-the-build >>"$GITHUB_OUTPUT" ;;
"publish -check")
	history
	python ;;
"publish -yes")
	history
	case "$*" in *of-the-build*) ;; *) fail "other digests" ;; esac
	[ -n "$ACTIONS_ID_TOKEN_REQUEST_URL" ] || fail "nothing lets this job in: no ID token, no PREFIX_API_KEY"
	case $ACTIONS_ID_TOKEN_REQUEST_URL in *environment:release*) ;; *) fail "403: the publisher is registered for the environment release" ;; esac
	echo '{}' >output/publish.json
	[ -z "$SLOW" ] || sleep "$SLOW"
	echo digests=of-the-upload >>"$GITHUB_OUTPUT" ;;
"publish -verify")
	history
	python
	case "$*" in *of-the-upload*) ;; *) fail "other digests" ;; esac ;;
"ci:matrix -needs"*)
	case "$*" in
	*'"result": "failure"'* | *'"result": "cancelled"'*) fail "not all jobs have passed" ;;
	*'"result"'*) ;;
	*) fail "-needs has no job results" ;;
	esac ;;
"ci:matrix ")
	history
	if [ -n "$NOTHING" ]; then
		printf 'matrix={"package":[]}\nany=false\n' >>"$GITHUB_OUTPUT"
	else
		printf 'matrix={"package":["one"]}\nany=true\n' >>"$GITHUB_OUTPUT"
	fi ;;
"qa:package "* | "test:package "*)
	python
	case $2 in one) ;; *) fail "there is no package '$2'" ;; esac ;;
"check ") python ;;
"rehearse ")
	history
	python ;;
"docker:image "*)
	login packages=write
	[ -e "$HOME/.buildx" ] || fail "the builder of the driver docker cannot do this"
	for a in "$@"; do
		case $a in
		-platform=linux/amd64 | -platform=linux/arm64) arch=${a##*/} ;;
		-platform=*) fail "no such platform: $a" ;;
		esac
	done
	mkdir -p "output/images/$2"
	echo sha256:a >"output/images/$2/$arch.digest" ;;
"docker:merge "*)
	login packages=write
	for p in amd64 arm64; do [ -e "output/images/$2/$p.digest" ] || fail "no digest of linux/$p in output/images/$2"; done
	echo digest=sha256:joined >>"$GITHUB_OUTPUT" ;;
"deploy:to "*)
	login packages=
	[ "$DEPLOY_SSH_PRIVATE_KEY" = "key-of-$2" ] || fail "DEPLOY_SSH_PRIVATE_KEY is no key that $2 knows"
	[ "$DEPLOY_KNOWN_HOSTS" = "hosts-of-$2" ] || fail "DEPLOY_KNOWN_HOSTS has no host of $2"
	case "$*" in *" -digest=sha256:"*" -tag= "*) ;; *) fail "a digest is sha256:…, and a tag stands in its place" ;; esac ;;
*) fail "no target $1" ;;
esac
