// Package proof shows that an image is what it was to be, before a tag names it. It is told in values what that is, and runs nothing of a
// target platform here: a builder does.
//
//	verify.go    platforms, labels and attestations are what is wanted
//	exposed.go   no text of an image holds a credential
//	check.go     a builder runs the check of an image
//	witness.go   what shows that the check was run
//	programs.go  the programs of an image are brought here
//	machine.go   for which machine they are
package proof

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

// Prover proves the images of one index by a builder: BuildKit itself runs their check, as a build of which nothing is kept, so that no
// engine is needed and the nodes of a builder each do what they can. BuildKit remembers what passed for an image, and a failure never.
type Prover struct {
	Builder    *buildx.Builder
	Name       string // of what the images are made of, for people
	Repository string
	Digest     string // of the index
	Kept       string // folder of this machine that holds it, as an OCI layout; "" where it was pushed
	Dir        string // a folder for what is needed meanwhile, which nobody else uses

	Check    []string
	Limit    time.Duration // of the check, on each platform; 0 is ten minutes
	Runs     []string      // platforms that the builder runs
	Passed   []string      // platforms on which the check has passed before
	Examined bool          // it was seen before that the programs in the images fit their platforms
}

// Proved says on which platforms the check passed now, and which ones the builder cannot run.
type Proved struct{ Now, Not []string }

// Prove runs the check where it has not passed yet, side by side, and looks at the programs of all images.
func (p *Prover) Prove(ctx context.Context, images []registry.Image) (done Proved, err error) {
	errs := make([]error, 1+len(images))
	var wait sync.WaitGroup
	if !p.Examined {
		wait.Go(func() { errs[0] = p.examine(ctx, images) })
	}
	for n, one := range images {
		switch {
		case slices.Contains(p.Passed, one.Platform):
		case !slices.Contains(p.Runs, one.Platform):
			done.Not = append(done.Not, one.Platform)
		default:
			done.Now = append(done.Now, one.Platform)
			wait.Go(func() { errs[1+n] = p.check(ctx, one) })
		}
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return Proved{}, err
		}
	}
	return done, nil
}

// subject is the name by which the Dockerfile of a check knows the image, where it is in a folder.
const subject = "subject"

// writeDockerfile is the Dockerfile of a check: a step for each command, with the image's own entry point, user and environment.
func writeDockerfile(from string, one registry.Image, commands ...[]string) ([]byte, error) {
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
func (p *Prover) check(ctx context.Context, one registry.Image) error {
	if isShellForm(one.Entrypoint) {
		return operr.New(`write it as ENTRYPOINT ["program", "argument"], with "$@" where it is a script; no tag was moved`,
			"the image of %s has an entry point in the shell form, which starts without looking at a command: it could not run its check", p.Name)
	}
	limited, cancel := context.WithTimeoutCause(ctx, p.limit(), errCheckLimit)
	defer cancel()
	if loud := newLoud(p.Check); loud != nil && len(one.Entrypoint) > 0 {
		record, err := p.checkBy(limited, one, loud)
		step := buildx.FailedStep(record)
		switch {
		case err != nil && loud.proves(record, step):
			return nil
		case err != nil && !loud.failedAt(step): // the check did
			return p.decide(limited, one, record, err, nil, nil)
		}
	}
	says, fails := newWitnesses(p.Check)
	var witnesses []witness
	if len(one.Entrypoint) > 0 {
		witnesses = append(witnesses, says, fails)
	}
	record, err := p.checkBy(limited, one, witnesses...)
	return p.decide(limited, one, record, err, says, fails)
}

// limit is how long the check may take.
func (p *Prover) limit() time.Duration { return cmp.Or(p.Limit, limitOfCheck) }

// checkBy runs the check, and then witnesses; nil is none. It returns what buildx said.
func (p *Prover) checkBy(ctx context.Context, one registry.Image, witnesses ...witness) (string, error) {
	commands := [][]string{p.Check}
	for _, w := range witnesses {
		if w != nil {
			commands = append(commands, w)
		}
	}
	from, _ := p.locate()
	dockerfile, err := writeDockerfile(from, one, commands...)
	if err != nil {
		return "", err
	}
	return p.buildAside(ctx, one.Platform, dockerfile, "type=cacheonly")
}

// decide says what a build means that ran the check, and then the witnesses.
func (p *Prover) decide(ctx context.Context, one registry.Image, record string, err error, says, fails witness) error {
	step := buildx.FailedStep(record)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCheckLimit):
		return operr.New("let the check end by itself, where its entry point is a server have that look at its command, or raise check-timeout in [tool.image]; no tag was moved",
			"the image of %s did not end `%s` on %s within %s", p.Name, strings.Join(p.Check, " "), one.Platform, p.limit()).WithDetail(p.Builder.LastLines(record))
	case cause != nil:
		return cause
	case err == nil && len(one.Entrypoint) > 0:
		return p.listen(one, record, "", says)
	case err == nil:
		return nil
	case step == "":
		return p.Builder.ExplainUnread(ctx, err, record, p.Repository, fmt.Sprintf("the check of %s on %s could not be run", p.Name, one.Platform))
	case says != nil && says.failedAt(step) || fails != nil && fails.failedAt(step):
		return p.listen(one, record, step, says)
	}
	_, where := p.locate()
	return operr.New("no tag was moved; the image is "+where, "the image of %s does not pass `%s` on %s", p.Name, strings.Join(p.Check, " "), one.Platform).WithDetail(p.Builder.LastLines(step))
}

// isShellForm reports whether an entry point is a shell's script that looks at no argument, as Docker writes the shell form, whatever
// SHELL says.
func isShellForm(entrypoint []string) bool {
	if len(entrypoint) < 3 || !slices.Contains(shells, path.Base(entrypoint[0])) {
		return false
	}
	last := len(entrypoint) - 1
	return isCommandFlag(entrypoint[last-1]) && !argument().MatchString(entrypoint[last])
}

var shells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}

// argument is what a script gets its arguments by.
var argument = lazyregexp.New(`\$(\{?[0-9@*])`)

// locate says what a Dockerfile beside the image takes it from, and where a person finds it.
func (p *Prover) locate() (from, where string) {
	if p.Kept == "" {
		ref := p.Repository + "@" + p.Digest
		return ref, ref
	}
	return subject, "in " + p.Kept
}

// buildAside builds a Dockerfile that stands on the image, for one platform, of which the builder keeps what it likes. It returns what
// buildx said.
func (p *Prover) buildAside(ctx context.Context, platform string, dockerfile []byte, output string) (record string, err error) {
	empty := filepath.Join(p.Dir, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return "", err
	}
	a := buildx.Aside{
		Platform:   platform,
		Dockerfile: dockerfile,
		Output:     output,
		Context:    empty,
	}
	if p.Kept != "" {
		a.Named = subject + "=oci-layout://" + p.Kept + "@" + p.Digest
	}
	return p.Builder.BuildAside(ctx, a)
}
