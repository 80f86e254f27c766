// Package localbuilder stands in for `docker buildx`, for a rehearsal on a machine that builds no images: what it is asked to build and push comes to be in
// the registry as a stand-in, with the labels, platforms and attestations that the image would have, and no file.
//
//	localbuilder.go  what docker is asked, and its answers
//	image.go         the stand-ins
package localbuilder

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
)

// environ is a runner that tells its environment, as a builder asks for it.
type environ interface{ Environ() []string }

// Runner runs children, and answers by itself what docker would be asked about a builder.
type Runner struct{ command.Runner }

// Environ is that of the runner below; nil where that has none.
func (r Runner) Environ() []string {
	if of, ok := r.Runner.(environ); ok {
		return of.Environ()
	}
	return nil
}

// Of is a runner whose docker builds images, or stands in for that.
func Of(r command.Runner, standIn bool) command.Runner {
	if standIn {
		return Runner{Runner: r}
	}
	return r
}

// Name is what the builder is called.
const Name = "a-stand-in"

// Run implements command.Runner.
func (r Runner) Run(ctx context.Context, c command.Cmd) error {
	if c.Name != "docker" || len(c.Args) < 2 || c.Args[0] != "buildx" {
		return r.Runner.Run(ctx, c)
	}
	out := c.Stdout
	if out == nil {
		out = io.Discard
	}
	err := docker(ctx, c, out)
	if err != nil {
		fmt.Fprintln(out, "ERROR:", err)
		return &command.ExitError{
			Name: "docker",
			Code: 1,
			Tail: err.Error(),
		}
	}
	return nil
}

func docker(ctx context.Context, c command.Cmd, out io.Writer) error {
	switch c.Args[1] {
	case "inspect":
		_, err := fmt.Fprintf(out, "Name: %s\nDriver: rehearsal\n\nNodes:\nName: %[1]s0\nEndpoint: none\nStatus: running\nPlatforms: %s\n", Name, strings.Join(platforms, ", "))
		return err
	case "bake":
		return bake(ctx, c)
	case "build": // something is run in an image, or taken out of it: there is nothing in a stand-in
		return nil
	}
	return fmt.Errorf("the builder of a rehearsal knows no %s", c.Args[1])
}

// platforms are those that the builder says to run, since nothing of them is run.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x", "linux/riscv64", "linux/386", "linux/arm/v7"}

// bake pushes a stand-in for what a definition makes, and writes its digest where buildx does.
func bake(ctx context.Context, c command.Cmd) error {
	var definition buildx.Bake
	text, err := io.ReadAll(c.Stdin)
	if err == nil {
		err = json.Unmarshal([]byte(strings.NewReplacer("$${", "${", "%%{", "%{").Replace(string(text))), &definition)
	}
	if err != nil {
		return fmt.Errorf("reading the definition: %w", err)
	}
	digests := map[string]any{}
	for name, t := range definition.Target {
		repository := pushedTo(t.Output)
		if repository == "" {
			return errors.New("the builder of a rehearsal makes what is pushed, and nothing else")
		}
		digest, err := Push(ctx, Image{
			Repository: repository,
			Platforms:  t.Platforms,
			Labels:     t.Labels,
			SBOM:       slices.ContainsFunc(t.Attest, func(a string) bool { return strings.HasPrefix(a, "type=sbom") }),
		}, "")
		if err != nil {
			return err
		}
		digests[name] = map[string]string{"containerimage.digest": digest}
	}
	data, err := json.Marshal(digests)
	if err != nil {
		return err
	}
	for _, a := range c.Args {
		if to, is := strings.CutPrefix(a, "--metadata-file="); is {
			return os.WriteFile(to, data, 0o644)
		}
	}
	return nil
}

// pushedTo is the repository that outputs push to; "" where none does.
func pushedTo(outputs []string) string {
	for _, o := range outputs {
		fields, err := csv.NewReader(strings.NewReader(o)).Read()
		if err != nil || !slices.Contains(fields, "push=true") {
			continue
		}
		for _, f := range fields {
			if name, is := strings.CutPrefix(f, "name="); is {
				return name
			}
		}
	}
	return ""
}
