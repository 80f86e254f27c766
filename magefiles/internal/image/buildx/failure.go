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

// errorLine matches the line in which BuildKit or buildx reports why the build failed.
var errorLine = lazyregexp.New(`(?im)^(#\d+ )?error: .*$`)

// stepSaid matches the output of the failed Dockerfile step, which buildx repeats between dashed lines.
var stepSaid = lazyregexp.New(`(?s)\n------\n > (.*?)\n------\n`)

// FailedStep returns the failed step with its output, or "" if no step failed.
func FailedStep(record string) string {
	if m := stepSaid().FindStringSubmatch(record); m != nil {
		return m[1]
	}
	return ""
}

// printed matches a line printed by a build step. BuildKit puts the step's number and the time before it.
var printed = lazyregexp.New(`(?m)^#\d+ \d+\.\d+ (.*)$`)

// PrintedBySteps returns the lines that the steps of a build have printed.
func PrintedBySteps(record string) (lines []string) {
	for _, m := range printed().FindAllStringSubmatch(record, -1) {
		lines = append(lines, strings.TrimSpace(m[1]))
	}
	return lines
}

// lineStart matches BuildKit's prefix of a step's output line: a number and a time.
var lineStart = lazyregexp.New(`(?m)^(#\d+ )?(\d+\.\d+ )?`)

// unwrap returns a step's output as one line, which rejoins sentences that pixi has wrapped.
func unwrap(text string) string { return pixisays.Unwrap(lineStart().ReplaceAllString(text, "")) }

// explain returns the error for a failed image build. repository is "" if nothing is pushed. No tag has moved at this point.
func (b *Builder) explain(ctx context.Context, err error, record, repository string) error {
	step := record
	if m := stepSaid().FindStringSubmatch(record); m != nil && strings.Contains(m[1], "\n") {
		step = m[1]
	}
	detail := b.LastLines(step)
	if missing := findUnsolved(unwrap(step)); missing != "" {
		return operr.New("publish this package for the platform named above, or remove that platform from the manifest, because pixi solves for every platform; no tag was moved",
			"the environment cannot be solved, because no channel has %s: %w", b.hide(missing), err).WithDetail(detail)
	}
	r := remedy{summary: "building the image", next: "look for the reason in the output of buildx; no tag was moved"}
	if stepFailed().MatchString(record) {
		r = inSteps.find(unwrap(step), r)
	} else {
		r = slices.Concat(everywhere, known, pushes).find(cutToErrors(record), r)
	}
	r = b.fill(ctx, r, repository)
	return operr.New(r.next, "%s: %w", r.summary, err).WithDetail(detail)
}

// ExplainUnread returns the error for a build based on an image in a repository, if the build failed before its first step or could not read the
// image. `doing` describes the purpose of the build.
func (b *Builder) ExplainUnread(ctx context.Context, err error, record, repository, doing string) error {
	r := slices.Concat(everywhere, readBack).find(cutToErrors(record), remedy{next: "check that the builder can read the registry; no tag was moved"})
	if r = b.fill(ctx, r, repository); r.summary != "" {
		doing += ": " + r.summary
	}
	return operr.New(r.next, "%s: %w", doing, err).WithDetail(b.LastLines(record))
}

// fill replaces the placeholders in a summary and its next step: the builder, its missing nodes, and the registry to log in to.
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

// find returns the first remedy whose pattern matches, with submatches inserted in its summary. If none matches, it returns the remedy `otherwise`.
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

// cutToErrors returns the lines in which BuildKit and buildx report why the build failed, or the whole record if there are none. The output of a
// step's programs is excluded, because a program may have ignored a refusal, which then did not cause the failure.
func cutToErrors(record string) string {
	if lines := errorLine().FindAllString(record, -1); len(lines) > 0 {
		return strings.Join(lines, "\n")
	}
	return record
}

// noCandidates matches the message of rattler's solver, which pixi also uses, for a package that no channel has for the platform.
var noCandidates = lazyregexp.New(pixisays.NoCandidates)

// findUnsolved returns the package that a solver could not find, or "" if something else failed.
func findUnsolved(said string) string {
	if m := noCandidates().FindStringSubmatch(said); m != nil {
		return m[1]
	}
	return ""
}
