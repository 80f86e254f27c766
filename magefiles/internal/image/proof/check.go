// Package proof verifies an image before it gets a tag. The caller passes the expected properties as values. Programs of the target platform run only
// on a builder, never in this process.
//
//	verify.go    verifies platforms, labels and attestations
//	exposed.go   finds credentials in the texts of an image
//	check.go     runs the image's check on a builder
//	witness.go   proves that the check really ran
//	programs.go  extracts programs from the image
//	machine.go   compares the architecture of each program with the image's platform
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

// Prover verifies the images of one index on a builder. BuildKit runs the check as a build with a discarded result, so no container engine is
// needed, and each of the builder's nodes checks the platforms that it can run. BuildKit caches checks that pass, but not failures.
type Prover struct {
	Builder    *buildx.Builder
	Name       string // name of the downstream, for messages
	Repository string
	Digest     string // digest of the index
	Kept       string // local OCI layout that contains the index; "" if it was pushed
	Dir        string // folder for temporary files, for exclusive use

	Check    []string
	Limit    time.Duration // time limit for the check on each platform; 0 means ten minutes
	Runs     []string      // platforms that the builder can run
	Passed   []string      // platforms on which the check has already passed
	Examined bool          // an earlier run has compared the images' programs with their platforms
}

// Proved lists the platforms on which the check has passed now, and those that the builder cannot run.
type Proved struct{ Now, Not []string }

// Prove runs the check concurrently on all platforms on which it has not passed yet, and examines the programs of all images.
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

// subject is the image's name in a check's Dockerfile if the image is in a folder.
const subject = "subject"

// writeDockerfile returns the Dockerfile of a check. Each command is a step that uses the image's own entry point, user and environment.
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

// limitOfCheck is the default time limit for the check on one platform. It includes the transfer of the image to the builder.
const limitOfCheck = 10 * time.Minute

var errCheckLimit = errors.New("the time limit is over")

// check runs the check on one platform. If the image has an entry point, through which the check must run, it also runs the witnesses.
func (p *Prover) check(ctx context.Context, one registry.Image) error {
	if isShellForm(one.Entrypoint) {
		return operr.New(`write the entry point as ENTRYPOINT ["program", "argument"]; if the program is a script, make "$@" its last line`,
			"the image of %s has an entry point in the shell form, which ignores arguments, so the check command cannot run; no tag was moved", p.Name)
	}
	limited, cancel := context.WithTimeoutCause(ctx, p.limit(), errCheckLimit)
	defer cancel()
	if loud := newLoud(p.Check); loud != nil && len(one.Entrypoint) > 0 {
		record, err := p.checkBy(limited, one, loud)
		step := buildx.FailedStep(record)
		switch {
		case err != nil && loud.proves(record, step):
			return nil
		case err != nil && !loud.failedAt(step): // the check itself failed
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

// limit returns the time limit for the check.
func (p *Prover) limit() time.Duration { return cmp.Or(p.Limit, limitOfCheck) }

// checkBy builds a Dockerfile that runs the check, and then the non-nil witnesses. It returns buildx's output.
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

// decide returns nil if a build that ran the check and then the witnesses proves that the check passed.
func (p *Prover) decide(ctx context.Context, one registry.Image, record string, err error, says, fails witness) error {
	step := buildx.FailedStep(record)
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errCheckLimit):
		return operr.New("write a check that ends by itself, or raise check-timeout in [tool.image]; if the entry point starts a server, make it run the command that it gets as arguments",
			"in the image of %s, `%s` did not end on %s within %s; no tag was moved", p.Name, strings.Join(p.Check, " "), one.Platform, p.limit()).WithDetail(p.Builder.LastLines(record))
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
	return operr.New("correct the image or its check; no tag was moved, and the image is "+where, "the image of %s failed its check `%s` on %s", p.Name, strings.Join(p.Check, " "), one.Platform).WithDetail(p.Builder.LastLines(step))
}

// isShellForm reports whether an entry point is a shell script that ignores its arguments, as produced by Docker's shell form with any SHELL.
func isShellForm(entrypoint []string) bool {
	if len(entrypoint) < 3 || !slices.Contains(shells, path.Base(entrypoint[0])) {
		return false
	}
	last := len(entrypoint) - 1
	return isCommandFlag(entrypoint[last-1]) && !argument().MatchString(entrypoint[last])
}

var shells = []string{"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"}

// argument matches a reference to an argument in a script.
var argument = lazyregexp.New(`\$(\{?[0-9@*])`)

// locate returns the image's name for FROM in a Dockerfile, and its location for messages.
func (p *Prover) locate() (from, where string) {
	if p.Kept == "" {
		ref := p.Repository + "@" + p.Digest
		return ref, ref
	}
	return subject, "in " + p.Kept
}

// buildAside builds a Dockerfile that is based on the image, and returns buildx's output. platform may be a comma-separated list.
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
