package image

import (
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// known are the failures of builds that have a remedy, by what BuildKit says. The first that fits is taken.
var known = []struct {
	says          *regexp.Regexp
	summary, next string
}{
	{
		regexp.MustCompile(`additional privileges requested`),
		"buildx asks a person whether it may read what the build needs", "run it from the workspace, or update buildx",
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
	{
		regexp.MustCompile(`exec format error`),
		"a step runs a program of another platform", "let that stage run on $BUILDPLATFORM, or install qemu's binfmt",
	},
	{
		regexp.MustCompile(`(?s)process .* did not complete successfully`),
		"a step of the Dockerfile failed", "",
	},
}

// failed is what a step of the Dockerfile said before it failed: buildx repeats it between rules.
var failed = regexp.MustCompile(`(?s)\n------\n > (.*?)\n------\n`)

// buildError makes a sentence of a failed build. No tag was moved by then.
func buildError(err error, record string) error {
	detail := lastLines(record)
	if m := failed.FindStringSubmatch(record); m != nil && strings.Contains(m[1], "\n") {
		detail = lastLines(m[1])
	}
	if missing := unsolved(record); missing != "" {
		return operr.New("publish it for that platform, or take the platform out of [tool.image]; no tag was moved",
			"the environment cannot be had: no channel has %s: %w", missing, err).WithDetail(detail)
	}
	for _, k := range known {
		m := k.says.FindStringSubmatchIndex(record)
		if m == nil {
			continue
		}
		summary := string(k.says.ExpandString(nil, k.summary, record, m))
		next := "no tag was moved"
		if k.next != "" {
			next = k.next + "; no tag was moved"
		}
		return operr.New(next, "%s: %w", summary, err).WithDetail(detail)
	}
	return operr.New("no tag was moved; see what buildx says", "building the image: %w", err).WithDetail(detail)
}

// noCandidates is what rattler's solver, in pixi too, says of a package that no channel has for the platform.
var noCandidates = regexp.MustCompile(`No candidates were found for ([^\n]+?)\.?\s*\n`)

// unsolved names the package that a solver did not find; "" where it was something else that failed.
func unsolved(record string) string {
	if m := noCandidates.FindStringSubmatch(record); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}
