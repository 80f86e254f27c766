package buildx

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

// FailedStep is the step that failed, with what it said; "" where none did.
func FailedStep(record string) string {
	if m := stepSaid().FindStringSubmatch(record); m != nil {
		return m[1]
	}
	return ""
}

// printed is a line that a step of a build printed: BuildKit writes the step's number and the time before it.
var printed = lazyregexp.New(`(?m)^#\d+ \d+\.\d+ (.*)$`)

// PrintedBySteps are the lines that the steps of a build printed.
func PrintedBySteps(record string) (lines []string) {
	for _, m := range printed().FindAllStringSubmatch(record, -1) {
		lines = append(lines, strings.TrimSpace(m[1]))
	}
	return lines
}

// lineStart is what begins a line of a step: BuildKit's number and time.
var lineStart = lazyregexp.New(`(?m)^(#\d+ )?(\d+\.\d+ )?`)

// unwrap is what a step said, in one line, for the sentences of pixi.
func unwrap(text string) string { return pixisays.Unwrapped(lineStart().ReplaceAllString(text, "")) }

// explain makes a sentence of a failed build of an image for a repository; "" is none. No tag was moved by then.
func (b *Builder) explain(ctx context.Context, err error, record, repository string) error {
	step := record
	if m := stepSaid().FindStringSubmatch(record); m != nil && strings.Contains(m[1], "\n") {
		step = m[1]
	}
	detail := b.LastLines(step)
	if missing := findUnsolved(unwrap(step)); missing != "" {
		return operr.New("publish it for the platform named above, or take that platform out of the manifest: pixi solves for all of them; no tag was moved",
			"the environment cannot be had: no channel has %s: %w", b.hide(missing), err).WithDetail(detail)
	}
	r := remedy{summary: "building the image", next: "no tag was moved; see what buildx says"}
	if stepFailed().MatchString(record) {
		r = inSteps.find(unwrap(step), r)
	} else {
		r = slices.Concat(everywhere, known, pushes).find(cutToErrors(record), r)
	}
	r = b.fill(ctx, r, repository)
	return operr.New(r.next, "%s: %w", r.summary, err).WithDetail(detail)
}

// ExplainUnread makes a sentence of a build beside an image of a repository that did not come to its steps, or that the image could not be read
// for; doing says what it was for.
func (b *Builder) ExplainUnread(ctx context.Context, err error, record, repository, doing string) error {
	r := slices.Concat(everywhere, readBack).find(cutToErrors(record), remedy{next: "no tag was moved; see whether the builder can read the registry"})
	if r = b.fill(ctx, r, repository); r.summary != "" {
		doing += ": " + r.summary
	}
	return operr.New(r.next, "%s: %w", doing, err).WithDetail(b.LastLines(record))
}

// fill puts names into a sentence and its next step: of the builder, of its nodes that are gone, and of where to log in.
func (b *Builder) fill(ctx context.Context, r remedy, repository string) remedy {
	if r.gone {
		if nodes := b.findAbsent(ctx); nodes != "" {
			r.summary, r.next = r.summary+": "+nodes, nextForNodes+"; no tag was moved"
		}
	}
	names := strings.NewReplacer("--name BUILDER", "--name "+cmp.Or(b.Name, "BUILDER"), " BUILDER", strings.TrimRight(" "+b.Name, " "), "LOGIN", registry.LoginTo(repository))
	r.summary, r.next = b.hide(names.Replace(r.summary)), b.hide(names.Replace(r.next))
	return r
}

// find gives the first failure that fits, with what was said in its sentence, or what it was given.
func (all remedies) find(said string, otherwise remedy) remedy {
	for _, r := range all {
		m := r.says().FindStringSubmatchIndex(said)
		if m == nil {
			continue
		}
		found := remedy{summary: string(r.says().ExpandString(nil, r.summary, said, m)), next: "no tag was moved", gone: r.gone}
		if r.next != "" {
			found.next = r.next + "; no tag was moved"
		}
		return found
	}
	return otherwise
}

// cutToErrors are the lines of a record in which BuildKit and buildx say what ended the build, where there are such. What the
// programs of steps say is not the registry's word: one that got on after a refusal is not to blame for what came later.
func cutToErrors(record string) string {
	if lines := errorLine().FindAllString(record, -1); len(lines) > 0 {
		return strings.Join(lines, "\n")
	}
	return record
}

// noCandidates is what rattler's solver, in pixi too, says of a package that no channel has for the platform.
var noCandidates = lazyregexp.New(pixisays.NoCandidates)

// findUnsolved names the package that a solver did not find; "" where it was something else that failed.
func findUnsolved(said string) string {
	if m := noCandidates().FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}
