package image

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pixisays"
)

// errorLine is a line in which BuildKit or buildx says what ended the build.
var errorLine = lazyregexp.New(`(?im)^(#\d+ )?error: .*$`)

// stepSaid is what a step of the Dockerfile said before it failed: buildx repeats it between rules.
var stepSaid = lazyregexp.New(`(?s)\n------\n > (.*?)\n------\n`)

// lineStart is what begins a line of a step: BuildKit's number and time.
var lineStart = lazyregexp.New(`(?m)^(#\d+ )?(\d+\.\d+ )?`)

// unwrapped is what a step said, in one line, for the sentences of pixi.
func unwrapped(text string) string { return pixisays.Unwrapped(lineStart().ReplaceAllString(text, "")) }

// failed makes a sentence of a failed build of an image for a repository; "" is none. No tag was moved by then.
func (b *Builder) failed(ctx context.Context, err error, record, repository string) error {
	step := record
	if m := stepSaid().FindStringSubmatch(record); m != nil && strings.Contains(m[1], "\n") {
		step = m[1]
	}
	detail := b.last(step)
	if missing := unsolved(unwrapped(step)); missing != "" {
		return operr.New("publish it for the platform named above, or take that platform out of the manifest: pixi solves for all of them; no tag was moved",
			"the environment cannot be had: no channel has %s: %w", b.shown(missing), err).WithDetail(detail)
	}
	summary, next := "building the image", "no tag was moved; see what buildx says"
	if stepFailed().MatchString(record) {
		summary, next = inSteps.find(unwrapped(step), summary, next)
	} else {
		summary, next = slices.Concat(everywhere, known, pushes).find(ownWords(record), summary, next)
	}
	summary, next = b.named(ctx, summary, next, repository)
	return operr.New(next, "%s: %w", summary, err).WithDetail(detail)
}

// unread makes a sentence of a build beside an image of a repository that did not come to its steps, or that the image could not be read
// for; doing says what it was for.
func (b *Builder) unread(ctx context.Context, err error, record, repository, doing string) error {
	summary, next := slices.Concat(everywhere, readBack).find(ownWords(record), "", "no tag was moved; see whether the builder can read the registry")
	if summary, next = b.named(ctx, summary, next, repository); summary != "" {
		doing += ": " + summary
	}
	return operr.New(next, "%s: %w", doing, err).WithDetail(b.last(record))
}

// named puts names into a sentence and its next step: of the builder, of its nodes that are gone, and of where to log in.
func (b *Builder) named(ctx context.Context, summary, next, repository string) (string, string) {
	if summary == builderGone {
		if nodes := b.absent(ctx); nodes != "" {
			summary, next = summary+": "+nodes, nextForNodes+"; no tag was moved"
		}
	}
	names := strings.NewReplacer("--name BUILDER", "--name "+cmp.Or(b.Name, "BUILDER"), " BUILDER", strings.TrimRight(" "+b.Name, " "), "LOGIN", registry.LoginTo(repository))
	return b.shown(names.Replace(summary)), b.shown(names.Replace(next))
}

// find gives the first failure that fits, or what it was given.
func (all remedies) find(said, summary, next string) (string, string) {
	for _, r := range all {
		m := r.says().FindStringSubmatchIndex(said)
		if m == nil {
			continue
		}
		summary, next = string(r.says().ExpandString(nil, r.summary, said, m)), "no tag was moved"
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
	if lines := errorLine().FindAllString(record, -1); len(lines) > 0 {
		return strings.Join(lines, "\n")
	}
	return record
}

// noCandidates is what rattler's solver, in pixi too, says of a package that no channel has for the platform.
var noCandidates = lazyregexp.New(pixisays.NoCandidates)

// unsolved names the package that a solver did not find; "" where it was something else that failed.
func unsolved(said string) string {
	if m := noCandidates().FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}
