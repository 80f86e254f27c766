package image

import (
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// remedies are failures that are known, by what is said, and what to do about each. The first that fits is taken.
type remedies []struct {
	says          *regexp.Regexp
	summary, next string
}

// stepFailed is what BuildKit says where a RUN of the Dockerfile ended the build.
var stepFailed = regexp.MustCompile(`process ".*" did not complete successfully|executor failed running`) // the second before BuildKit 0.10

// inSteps are those of steps, by what their programs say (see unwrapped); the last fits all. pixi and rattler name a status in
// the words of the HTTP library that they have.
var inSteps = remedies{
	{
		regexp.MustCompile(`lock[- ]file (is )?not up-to-date`),
		"the lock file does not fit the manifest", "run `mage lock`, and commit it",
	},
	{
		regexp.MustCompile(`Lock-file version \d+ is newer than supported`),
		"the lock file was made by a newer pixi than the one that builds the image", "build with that one (PIXI_IMAGE, or the Dockerfile), or make the lock file anew: `mage lock`",
	},
	{
		regexp.MustCompile(`this project requires pixi '([^']+)', but you have pixi ([\w.]+)`),
		"the manifest requires pixi $1, and $2 builds the image", "name an image that has it by PIXI_IMAGE, or in the Dockerfile",
	},
	{
		regexp.MustCompile(`could not find subdir '[^']+' in channel`),
		"a package channel is not there, or not for this login", "correct its name; a private channel is read with RATTLER_AUTH_FILE",
	},
	{
		regexp.MustCompile(`HTTP status client error \((401|403)\b`),
		"a package channel refuses what a step of the Dockerfile asks for ($1)", "set RATTLER_AUTH_FILE to a file with a login for that channel",
	},
	{
		regexp.MustCompile(`HTTP status client error \(429\b`),
		"a package channel allows no more requests for now (429)", "wait, and run it again: what was fetched is in the builder's cache",
	},
	{
		regexp.MustCompile(`exec format error`),
		"a step runs a program of another platform", "let that stage run on $BUILDPLATFORM, or install qemu's binfmt",
	},
	{regexp.MustCompile(``), "a step of the Dockerfile failed", ""},
}

// known are those of all else in a build, by what BuildKit says.
var known = remedies{
	{
		regexp.MustCompile(`additional privileges requested`),
		"buildx asks a person whether it may read what the build needs", "run it from the workspace, or update buildx",
	},
	{
		regexp.MustCompile(`unknown flag: --allow|unknown entitlement`),
		"this buildx is too old", "update it to 0.19 or later",
	},
	{
		regexp.MustCompile(`(?i)failed to resolve source metadata for \S*(syft|sbom|scanner)`),
		"the image that makes the SBOM cannot be had", "mirror it and set BUILDKIT_SBOM_GENERATOR to the mirror, or to off",
	},
	{
		regexp.MustCompile(`failed to resolve source metadata for (\S+):`),
		"the base image $1 cannot be had", "see whether it is there, log in where it is private, or set PIXI_IMAGE and BASE_IMAGE to a mirror",
	},
	{
		regexp.MustCompile(`(?i)(multi-platform build is not supported|(oci exporter|attestation|push-by-digest|cache export)\S* is not supported|not supported for the docker driver)`),
		"this builder cannot make such images: it is the engine's own", makeBuilder,
	},
	{
		regexp.MustCompile(`(?i)(401 Unauthorized|403 Forbidden|authorization failed|unauthorized: |denied: |no basic auth credentials|insufficient_scope)`),
		"the registry refuses the upload", "log in: `docker login HOST`; in a workflow the job needs `packages: write`",
	},
	{
		regexp.MustCompile(`(?i)(429 Too Many Requests|toomanyrequests)`),
		"the registry allows no more requests for now (429)", "wait, and run it again: layers that arrived are not sent again",
	},
	{
		regexp.MustCompile(`(?i)(failed to (push|copy)|unexpected status from (PUT|POST|HEAD|PATCH) request|failed to do request: (Put|Post|Head|Patch))`),
		"the upload to the registry failed", "run it again: layers that arrived are not sent again",
	},
}

// errorLine is a line in which BuildKit or buildx says what ended the build.
var errorLine = regexp.MustCompile(`(?im)^(#\d+ )?error: .*$`)

// failed is what a step of the Dockerfile said before it failed: buildx repeats it between rules.
var failed = regexp.MustCompile(`(?s)\n------\n > (.*?)\n------\n`)

// lineStart is what begins a line of a step: BuildKit's number and time, and the frame that miette draws around an error.
var lineStart = regexp.MustCompile(`(?m)^(#\d+ )?(\d+\.\d+ )?[ \t│├╰─▶×]*`)

// broken is a word that pixi breaks to fit a line.
var broken = regexp.MustCompile(`(\w-)\n`)

// unwrapped is a text in one line, without what begins each of its lines: pixi breaks its sentences to fit a terminal.
func unwrapped(text string) string {
	return strings.Join(strings.Fields(broken.ReplaceAllString(lineStart.ReplaceAllString(text, ""), "$1")), " ")
}

// buildError makes a sentence of a failed build. No tag was moved by then.
func buildError(err error, record string) error {
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
	return operr.New(next, "%s: %w", summary, err).WithDetail(detail)
}

// find gives the first failure that fits, or what it was given.
func (all remedies) find(said, summary, next string) (string, string) {
	for _, r := range all {
		m := r.says.FindStringSubmatchIndex(said)
		if m == nil {
			continue
		}
		summary, next = string(r.says.ExpandString(nil, r.summary, said, m)), "no tag was moved"
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
var noCandidates = regexp.MustCompile(`No candidates were found for (.+?)\.( |$)`)

// unsolved names the package that a solver did not find; "" where it was something else that failed.
func unsolved(said string) string {
	if m := noCandidates.FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}
