package image

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// smoke runs the image's check on every platform that the builder can run: BuildKit itself does it, as a build of which
// nothing is kept, so that no engine is needed and the nodes of a builder each do what they can. BuildKit remembers what
// passed for an image, and a failure never. What was taken by this clone's own record passed before it was recorded.
func (j *Job) smoke(ctx context.Context) (string, error) {
	if j.Result.Reused {
		return "not again: it passed when it was built", nil
	}
	errs := make([]error, len(j.index.Images))
	var wait sync.WaitGroup
	for n, one := range j.index.Images {
		if !slices.Contains(j.node.Platforms, one.Platform) {
			j.Result.NotChecked = append(j.Result.NotChecked, one.Platform)
			continue
		}
		j.Result.Checked = append(j.Result.Checked, one.Platform)
		wait.Go(func() { errs[n] = j.check(ctx, one) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			j.Result.Checked = []string{}
			return "", err
		}
	}
	if j.Push && len(j.Result.Checked) == 0 {
		return "", operr.New("use a builder that runs one of the platforms, or give this one qemu's binfmt; README says how. No tag was moved",
			"nothing proves the image of %s: the builder %s runs none of its platforms: %s", j.Plan.Name, j.node.Name, strings.Join(j.Plan.Platforms, ", "))
	}
	if len(j.Result.Checked) > 0 {
		if err := j.remember(); err != nil {
			return "", err
		}
	}
	said := "ran " + strings.Join(j.Plan.Check, " ") + " on " + strings.Join(j.Result.Checked, " and ")
	if len(j.Result.Checked) == 0 {
		said = "not run"
	}
	if n := j.Result.NotChecked; len(n) > 0 {
		said += "; not on " + strings.Join(n, " and ") + ", which this builder cannot run"
	}
	return said, nil
}

// subject is the name by which the Dockerfile of a check knows the image, where it is in a folder.
const subject = "subject"

// dockerfileOf is the Dockerfile of a check: one step, with the image's own entry point, user and environment.
func dockerfileOf(from string, one Image, check []string) ([]byte, error) {
	argv, err := json.Marshal(append(slices.Clone(one.Entrypoint), check...))
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "FROM %s\nRUN %s\n", from, argv), nil
}

func (j *Job) check(ctx context.Context, one Image) error {
	from, where := j.Plan.Repository+"@"+j.Result.Digest, j.Plan.Repository+"@"+j.Result.Digest
	args := []string{"buildx", "build", "--platform=" + one.Platform, "--progress=plain", "--provenance=false", "--output=type=cacheonly", "--file=-"}
	if j.Builder.Name != "" {
		args = append(args, "--builder="+j.Builder.Name)
	}
	if !j.Result.Pushed {
		from, where = subject, "in "+j.Result.Kept
		args = append(args, "--build-context="+subject+"=oci-layout://"+j.Result.Kept+"@"+j.Result.Digest)
	}
	if len(one.Entrypoint) > 1 && one.Entrypoint[1] == "-c" {
		return operr.New(`write it as ENTRYPOINT ["program", "argument"], with "$@" where it is a script; no tag was moved`,
			"the image of %s has an entry point in the shell form, which starts without looking at a command: it could not run its check", j.Plan.Name)
	}
	dockerfile, err := dockerfileOf(from, one, j.Plan.Check)
	if err != nil {
		return err
	}
	empty := filepath.Join(j.Dir, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return err
	}
	var record bytes.Buffer
	out := io.Writer(&record)
	if j.Builder.Log != nil {
		out = io.MultiWriter(&record, j.Builder.Log)
	}
	err = j.Builder.Runner.Run(ctx, command.Cmd{Name: "docker", Args: append(args, "--", empty), Env: j.Builder.environ(), Stdin: bytes.NewReader(dockerfile), Stdout: out, Stderr: out})
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	detail := lastLines(record.String())
	m := failed.FindStringSubmatch(record.String())
	if m == nil {
		return operr.New("no tag was moved; see whether the builder can read the registry", "the check of %s on %s could not be run: %w", j.Plan.Name, one.Platform, err).WithDetail(detail)
	}
	return operr.New("no tag was moved; the image is "+where, "the image of %s does not pass `%s` on %s", j.Plan.Name, strings.Join(j.Plan.Check, " "), one.Platform).WithDetail(lastLines(m[1]))
}
