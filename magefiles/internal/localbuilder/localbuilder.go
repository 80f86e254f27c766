// Package localbuilder is a stand-in for `docker buildx`, for rehearsals on machines that cannot build images. Instead of the real image, it pushes a
// stand-in without files to the registry, with the labels, platforms and attestations that the real image would have.
//
//	localbuilder.go  implements the docker commands
//	image.go         makes and reads stand-ins
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

// environ is a runner with an environment, which builders query.
type environ interface{ Environ() []string }

// Runner runs child processes, except for `docker buildx` commands, which it implements.
type Runner struct{ command.Runner }

// Environ returns the wrapped runner's environment, or nil if it has none.
func (r Runner) Environ() []string {
	if of, ok := r.Runner.(environ); ok {
		return of.Environ()
	}
	return nil
}

// Of returns r. If standIn is true, `docker buildx` is replaced by the stand-in.
func Of(r command.Runner, standIn bool) command.Runner {
	if standIn {
		return Runner{Runner: r}
	}
	return r
}

// Name is the builder's name.
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
	case "build": // runs something in an image, or extracts files; a stand-in has no files
		return nil
	}
	return fmt.Errorf("the builder of a rehearsal has no command %s", c.Args[1])
}

// platforms are the platforms that the builder claims to support. Nothing actually runs.
var platforms = []string{"linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x", "linux/riscv64", "linux/386", "linux/arm/v7"}

// bake pushes a stand-in for a definition's image, and writes its digest to buildx's metadata file.
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
			return errors.New("the builder of a rehearsal can build an image only if the build also pushes the image")
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

// pushedTo returns the repository that outputs push to, or "" if they do not push.
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
