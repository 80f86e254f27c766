package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// smoke runs the image's check on every platform that the builder can run, and on which this clone has not seen it pass: BuildKit itself
// does it, as a build of which nothing is kept, so that no engine is needed and the nodes of a builder each do what they can. BuildKit
// remembers what passed for an image, and a failure never.
func (j *Job) smoke(ctx context.Context) (string, error) {
	before := slices.Clone(j.Result.Checked)
	now, err := j.checkRest(ctx)
	if err != nil {
		return "", err
	}
	if j.Push && !j.Result.Reused && len(now) == 0 {
		return "", operr.New("use a builder that runs one of the platforms, or give this one qemu's binfmt; README says how. No tag was moved",
			"nothing proves the image of %s: the builder %s runs none of its platforms: %s", j.Plan.Name, j.node.Name, strings.Join(j.Plan.Platforms, ", "))
	}
	if len(now) > 0 {
		j.Result.Checked = append(before, now...)
		if err := j.remember(); err != nil {
			return "", err
		}
	}
	var said []string
	if len(before) > 0 {
		said = append(said, "not again on "+strings.Join(before, " and ")+": it passed when it was built")
	}
	if len(now) > 0 {
		said = append(said, "ran "+strings.Join(j.Plan.Check, " ")+" on "+strings.Join(now, " and "))
	}
	if len(said) == 0 {
		said = append(said, "not run")
	}
	if n := j.Result.NotChecked; len(n) > 0 {
		said = append(said, "not on "+strings.Join(n, " and ")+", which this builder cannot run")
	}
	return strings.Join(said, "; "), nil
}

// checkRest runs the check where it has not passed yet, side by side, and returns the platforms.
func (j *Job) checkRest(ctx context.Context) (now []string, err error) {
	errs := make([]error, 1+len(j.index.Images))
	var wait sync.WaitGroup
	if !j.Result.Reused {
		wait.Go(func() { errs[0] = j.ofTheirPlatforms(ctx, j.index.Images) })
	}
	for n, one := range j.index.Images {
		switch {
		case slices.Contains(j.Result.Checked, one.Platform):
		case !slices.Contains(j.node.Platforms, one.Platform):
			j.Result.NotChecked = append(j.Result.NotChecked, one.Platform)
		default:
			now = append(now, one.Platform)
			wait.Go(func() { errs[1+n] = j.check(ctx, one) })
		}
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return now, nil
}

// unchecked are the platforms on which the image has not passed its check yet.
func (j *Job) unchecked() []string {
	return slices.DeleteFunc(slices.Clone(j.Plan.Platforms), func(p string) bool { return slices.Contains(j.Result.Checked, p) })
}

// subject is the name by which the Dockerfile of a check knows the image, where it is in a folder.
const subject = "subject"

// dockerfileOf is the Dockerfile of a check: a step for each command, with the image's own entry point, user and environment.
func dockerfileOf(from string, one registry.Image, commands ...[]string) ([]byte, error) {
	text := fmt.Appendf(nil, "FROM %s\n", from)
	for _, c := range commands {
		argv, err := json.Marshal(append(slices.Clone(one.Entrypoint), c...))
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "RUN %s\n", argv)
	}
	return text, nil
}

// limitOfCheck is how long the check of a platform may take, with the image's way to the builder, unless the manifest says otherwise.
const limitOfCheck = 10 * time.Minute

var errCheckLimit = errors.New("its time is over")

// check runs the check of one platform, and witnesses where an entry point is between us and it.
func (j *Job) check(ctx context.Context, one registry.Image) error {
	if shellForm(one.Entrypoint) {
		return operr.New(`write it as ENTRYPOINT ["program", "argument"], with "$@" where it is a script; no tag was moved`,
			"the image of %s has an entry point in the shell form, which starts without looking at a command: it could not run its check", j.Plan.Name)
	}
	limited, cancel := context.WithTimeoutCause(ctx, j.limit(), errCheckLimit)
	defer cancel()
	if loud := newLoud(j.Plan.Check); loud != nil && len(one.Entrypoint) > 0 {
		record, err := j.checkBy(limited, one, loud)
		step := buildx.FailedStep(record)
		switch {
		case err != nil && loud.proves(record, step):
			return nil
		case err != nil && !loud.failedAt(step): // the check did
			return j.decide(limited, one, record, err, nil, nil)
		}
	}
	says, fails := newWitnesses(j.Plan.Check)
	var witnesses []witness
	if len(one.Entrypoint) > 0 {
		witnesses = append(witnesses, says, fails)
	}
	record, err := j.checkBy(limited, one, witnesses...)
	return j.decide(limited, one, record, err, says, fails)
}

// limit is how long the check may take.
func (j *Job) limit() time.Duration { return cmp.Or(j.Plan.limit, limitOfCheck) }

// checkBy runs the check, and then witnesses; nil is none. It returns what buildx said.
func (j *Job) checkBy(ctx context.Context, one registry.Image, witnesses ...witness) (string, error) {
	commands := [][]string{j.Plan.Check}
	for _, w := range witnesses {
		if w != nil {
			commands = append(commands, w)
		}
	}
	from, _ := j.subject()
	dockerfile, err := dockerfileOf(from, one, commands...)
	if err != nil {
		return "", err
	}
	return j.aside(ctx, one.Platform, dockerfile, "type=cacheonly")
}

// decide says what a build means that ran the check, and then the witnesses.
func (j *Job) decide(ctx context.Context, one registry.Image, record string, err error, says, fails witness) error {
	step := buildx.FailedStep(record)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCheckLimit):
		return operr.New("let the check end by itself, where its entry point is a server have that look at its command, or raise check-timeout in [tool.image]; no tag was moved",
			"the image of %s did not end `%s` on %s within %s", j.Plan.Name, strings.Join(j.Plan.Check, " "), one.Platform, j.limit()).WithDetail(j.Builder.LastLines(record))
	case cause != nil:
		return cause
	case err == nil && len(one.Entrypoint) > 0:
		return j.heard(one, record, "", says)
	case err == nil:
		return nil
	case step == "":
		return j.Builder.ExplainUnread(ctx, err, record, j.Plan.Repository, fmt.Sprintf("the check of %s on %s could not be run", j.Plan.Name, one.Platform))
	case says != nil && says.failedAt(step) || fails != nil && fails.failedAt(step):
		return j.heard(one, record, step, says)
	}
	_, where := j.subject()
	return operr.New("no tag was moved; the image is "+where, "the image of %s does not pass `%s` on %s", j.Plan.Name, strings.Join(j.Plan.Check, " "), one.Platform).WithDetail(j.Builder.LastLines(step))
}

// shellForm reports whether an entry point is a shell's script that looks at no argument, as Docker writes the shell form, whatever
// SHELL says.
func shellForm(entrypoint []string) bool {
	if len(entrypoint) < 3 || !slices.Contains(shells, path.Base(entrypoint[0])) {
		return false
	}
	last := len(entrypoint) - 1
	return isCommandFlag(entrypoint[last-1]) && !argument().MatchString(entrypoint[last])
}

var shells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}

// argument is what a script gets its arguments by.
var argument = lazyregexp.New(`\$(\{?[0-9@*])`)

// subject is what a Dockerfile beside the image takes it from, and where a person finds it.
func (j *Job) subject() (from, where string) {
	if j.Result.Pushed {
		ref := j.Plan.Repository + "@" + j.Result.Digest
		return ref, ref
	}
	return subject, "in " + j.Result.Kept
}

// aside builds a Dockerfile that stands on the image, for one platform, of which the builder keeps what it likes. It returns what
// buildx said.
func (j *Job) aside(ctx context.Context, platform string, dockerfile []byte, output string) (record string, err error) {
	empty := filepath.Join(j.Dir, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return "", err
	}
	a := buildx.Aside{
		Platform:   platform,
		Dockerfile: dockerfile,
		Output:     output,
		Context:    empty,
	}
	if !j.Result.Pushed {
		a.Named = subject + "=oci-layout://" + j.Result.Kept + "@" + j.Result.Digest
	}
	return j.Builder.BuildAside(ctx, a)
}
