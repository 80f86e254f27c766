package image

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// remedies are failures that are known, by what is said, and what to do about each. The first that fits is taken.
type remedies []struct {
	says          pattern
	summary, next string
}

// stepFailed is what BuildKit says where a RUN of the Dockerfile ended the build.
var stepFailed = lazily(`process ".*" did not complete successfully|executor failed running`) // the second before BuildKit 0.10

// inSteps are those of steps, by what their programs say (see unwrapped); the last fits all. pixi and rattler name a status in
// the words of the HTTP library that they have.
var inSteps = remedies{
	{
		says:    lazily(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazily(`lock[- ]file (is )?not up-to-date`),
		summary: "the lock file does not fit the manifest",
		next:    "run `mage lock`, and commit it",
	},
	{
		says:    lazily(`Lock-file version \d+ is newer than supported`),
		summary: "the lock file was made by a newer pixi than the one that builds the image",
		next:    "build with that one (PIXI_IMAGE, or the Dockerfile), or make the lock file anew: `mage lock`",
	},
	{
		says:    lazily(`this project requires pixi '([^']+)', but you have pixi ([\w.]+)`),
		summary: "the manifest requires pixi $1, and $2 builds the image",
		next:    "name an image that has it by PIXI_IMAGE, or in the Dockerfile",
	},
	{
		says:    lazily(`could not find subdir '[^']+' in channel`),
		summary: "a package channel is not there, or not for this login",
		next:    "correct its name; a private channel is read with RATTLER_AUTH_FILE",
	},
	{
		says:    lazily(`HTTP status client error \((401|403)\b`),
		summary: "a package channel refuses what a step of the Dockerfile asks for ($1)",
		next:    "set RATTLER_AUTH_FILE to a file with a login for that channel",
	},
	{
		says:    lazily(`HTTP status client error \(429\b`),
		summary: "a package channel allows no more requests for now (429)",
		next:    "wait, and run it again: what was fetched is in the builder's cache",
	},
	{
		says:    lazily(`exec format error`),
		summary: "a step runs a program of another platform",
		next:    "let that stage run on $BUILDPLATFORM, or install qemu's binfmt",
	},
	{lazily(``), "a step of the Dockerfile failed", ""},
}

// noSpace is what systems say of a full disk, wherever it is: in a step, while layers are unpacked, or where an image is written.
const (
	noSpace        = `(?i)no space left on device|disk quota exceeded|\bENOSPC\b`
	noSpaceSummary = "there is no space left for the build"
	noSpaceNext    = "make room: `docker buildx prune` on the builder; on this machine, what is not pushed is kept in output/"
)

// known are those of all else in a build, by what BuildKit says. What was asked for comes first (a layer that is read is nothing that
// is pushed), and then how it was refused.
var known = remedies{
	{
		says:    lazily(noSpace),
		summary: noSpaceSummary,
		next:    noSpaceNext,
	},
	{
		says:    lazily(`docker-credential-([\w.-]+)`),
		summary: "docker's credential helper docker-credential-$1 cannot be used",
		next:    nextForHelper,
	},
	{
		says:    lazily(`(?i)(code = Unavailable|error reading from server|closing transport|failed to list workers|No such container: buildx_buildkit)`),
		summary: "the builder BUILDER is gone",
		next:    "see with `docker buildx ls` which of its nodes is not there any more, and run it again",
	},
	{
		says:    lazily(`additional privileges requested`),
		summary: "buildx asks a person whether it may read what the build needs",
		next:    "run it from the workspace, or update buildx",
	},
	{
		says:    lazily(`unknown flag: --allow|unknown entitlement`),
		summary: "this buildx is too old",
		next:    "update it to 0.19 or later",
	},
	{
		says:    lazily(`(?i)failed to resolve source metadata for \S*(syft|sbom|scanner)`),
		summary: "the image that makes the SBOM cannot be had",
		next:    "mirror it and set BUILDKIT_SBOM_GENERATOR to the mirror, or to off",
	},
	{
		says:    lazily(`failed to resolve source metadata for (\S*/dockerfile(?:-upstream)?[:@]\S+):`),
		summary: "the image $1 of the Dockerfile's own syntax cannot be had",
		next:    "take the line `# syntax=` out of the Dockerfile: BuildKit reads one without it, or name a mirror there",
	},
	{
		says:    lazily(`failed to resolve source metadata for (\S+):`),
		summary: "the base image $1 cannot be had",
		next:    "see whether it is there, log in where it is private, or set PIXI_IMAGE and BASE_IMAGE to a mirror",
	},
	{
		says:    lazily(`(?i)(?:httpReadSeeker: failed open|unexpected status (?:code|from GET request to)) .*?https?://([^/\s]+)/v2/(\S+?)/blobs/\S+: (\d+)`),
		summary: "a layer of $1/$2, which the image is built on, cannot be had ($3)",
		next:    nextForLayers,
	},
	{
		says:    lazily(`(?i)httpReadSeeker: failed open|/blobs/sha256:[0-9a-f]+"?: unexpected status from GET`),
		summary: "a layer of an image that this one is built on cannot be had",
		next:    nextForLayers,
	},
	{
		says:    lazily(`(?i)(multi-platform build is not supported|(oci exporter|attestation|push-by-digest|cache export)\S* is not supported|not supported for the docker driver)`),
		summary: "this builder cannot make such images: it is the engine's own",
		next:    makeBuilder,
	},
	{
		says:    lazily(`(?i)\b413 (Request Entity|Payload|Content) Too Large`),
		summary: "a layer is too large for the registry, or for a proxy before it (413)",
		next:    "have it take more at a time (client_max_body_size, in nginx), or make layers that are smaller",
	},
	{
		says:    lazily(`(?i)(quota|storage (limit|resource)|configured upper limit|507 Insufficient Storage)`),
		summary: "the registry has no room for the image: it has a quota",
		next:    "remove images there that nobody needs, or have the quota raised",
	},
	{
		says:    lazily(`(?i)(415 Unsupported Media Type|manifest[ _]invalid)`),
		summary: "the registry does not take an index of images with attestations",
		next:    "update it, or push to one that takes OCI's indexes",
	},
	{
		says:    lazily(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		summary: "the registry refuses the upload",
		next:    "log in: LOGIN; in a workflow the job needs `packages: write`",
	},
	{
		says:    lazily(`(?i)(429 Too Many Requests|toomanyrequests)`),
		summary: "the registry allows no more requests for now (429)",
		next:    "wait, and run it again: layers that arrived are not sent again",
	},
	{
		says:    lazily(`(?i)(failed to (push|copy)|unexpected status from (PUT|POST|HEAD|PATCH) request|failed to do request: (Put|Post|Head|Patch))`),
		summary: "the upload to the registry failed",
		next:    "run it again: layers that arrived are not sent again",
	},
}

// errorLine is a line in which BuildKit or buildx says what ended the build.
var errorLine = lazily(`(?im)^(#\d+ )?error: .*$`)

// failed is what a step of the Dockerfile said before it failed: buildx repeats it between rules.
var failed = lazily(`(?s)\n------\n > (.*?)\n------\n`)

// lineStart is what begins a line of a step: BuildKit's number and time, and the frame that miette draws around an error.
var lineStart = lazily(`(?m)^(#\d+ )?(\d+\.\d+ )?[ \t│├╰─▶×]*`)

// broken is a word that pixi breaks to fit a line.
var broken = lazily(`(\w-)\n`)

// unwrapped is a text in one line, without what begins each of its lines: pixi breaks its sentences to fit a terminal.
func unwrapped(text string) string {
	return strings.Join(strings.Fields(broken.ReplaceAllString(lineStart.ReplaceAllString(text, ""), "$1")), " ")
}

// mayPass is what a registry, or the way there, says when the next try may go well.
var mayPass = lazily(`(?i)(: 50[0234] (Internal|Bad|Service|Gateway)|\bEOF\b|connection reset by peer|broken pipe|TLS handshake timeout|i/o timeout)`)

// passing says whether a build failed by what may pass: it gets a second try, in which all steps are in the builder's cache. A step
// that failed is not tried again, nor is a builder that is gone.
func passing(record string) bool {
	said := ownWords(record)
	summary, _ := known.find(said, "", "")
	return !stepFailed.MatchString(record) && mayPass.MatchString(said) && !strings.HasPrefix(summary, "the builder")
}

// What to do about layers that are read, and about credential helpers.
const (
	nextForLayers = "its registry, or a proxy before it, does not give it: 401 and 403 want a login or leave, 429 time, and 5xx another try; PIXI_IMAGE and BASE_IMAGE may name a mirror"
	nextForHelper = "install it, or take it out of docker's config.json (credsStore, credHelpers), in ~/.docker or where DOCKER_CONFIG says"
)

// buildError makes a sentence of a failed build on a builder, of an image for a repository; "" is the one that is selected, and none.
// No tag was moved by then.
func buildError(err error, record, builder, repository string) error {
	step := record
	if m := failed.FindStringSubmatch(record); m != nil && strings.Contains(m[1], "\n") {
		step = m[1]
	}
	detail := lastLines(step)
	if missing := unsolved(unwrapped(step)); missing != "" {
		return operr.New("publish it for the platform named above, or take that platform out of the manifest: pixi solves for all of them; no tag was moved",
			"the environment cannot be had: no channel has %s: %w", missing, err).WithDetail(detail)
	}
	summary, next := "building the image", "no tag was moved; see what buildx says"
	if stepFailed.MatchString(record) {
		summary, next = inSteps.find(unwrapped(step), summary, next)
	} else {
		summary, next = known.find(ownWords(record), summary, next)
	}
	named := strings.NewReplacer(" BUILDER", strings.TrimRight(" "+builder, " "), "LOGIN", loginTo(repository))
	summary, next = named.Replace(summary), named.Replace(next)
	return operr.New(next, "%s: %w", summary, err).WithDetail(detail)
}

// find gives the first failure that fits, or what it was given.
func (all remedies) find(said, summary, next string) (string, string) {
	for _, r := range all {
		m := r.says.FindStringSubmatchIndex(said)
		if m == nil {
			continue
		}
		summary, next = r.says.expand(r.summary, said, m), "no tag was moved"
		if r.next != "" {
			next = r.next + "; no tag was moved"
		}
		return summary, next
	}
	return summary, next
}

// ownWords are the lines of a record in which BuildKit and buildx say what ended the build, where there are such. What the
// programs of steps say is not the registry's word: one that got on after a refusal is not to blame for what came later.
func ownWords(record string) string {
	if lines := errorLine.FindAllString(record, -1); len(lines) > 0 {
		return strings.Join(lines, "\n")
	}
	return record
}

// noCandidates is what rattler's solver, in pixi too, says of a package that no channel has for the platform.
var noCandidates = lazily(`No candidates were found for (.+?)\.( |$)`)

// unsolved names the package that a solver did not find; "" where it was something else that failed.
func unsolved(said string) string {
	if m := noCandidates.FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}
