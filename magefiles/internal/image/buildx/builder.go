// Package buildx builds images with `docker buildx`, on a local or remote builder, one in Kubernetes, or one with several nodes. This process runs
// nothing of a target platform. The package works with definitions, and does not depend on plans.
//
//	builder.go     inspects a builder, builds images, and runs builds that are based on an image
//	nodes.go       parses a builder's nodes, and finds the ones that are gone
//	definition.go  defines a build and its output
//	failure.go     converts BuildKit's output to an error
//	remedies.go    contains the tables of known failures and their next steps
//	passing.go     retries builds after transient failures
package buildx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Builder runs buildx on one builder.
type Builder struct {
	Runner command.Runner
	Name   string    // name of the builder; "" selects buildx's current one
	Log    io.Writer // receives buildx's output; nil discards it
	Pass   []string  // environment variables with build secrets, which docker would not get otherwise

	Pause func(ctx context.Context, d time.Duration) error // waits before a retry; nil means pause.For
}

const makeBuilder = "create a builder on this machine: `docker buildx create --use --driver docker-container`; foopack's magefiles/docs/images.md says how to use a builder on another machine"

// Look starts the builder if necessary, and returns its properties.
func (b *Builder) Look(ctx context.Context) (Node, error) {
	_, text, err := b.runTwice(ctx, func() (string, error) { return b.inspect(ctx, "--bootstrap") })
	if cause := context.Cause(ctx); cause != nil {
		return Node{}, cause
	}
	named := ""
	if b.Name != "" {
		named = " " + b.Name
	}
	switch {
	case errors.Is(err, command.ErrNotFound):
		return Node{}, operr.New("install the docker command and buildx, or add the folder of docker to PATH", "docker buildx builds the images, but docker is not on PATH")
	case err != nil && (strings.Contains(text, "unknown command: docker buildx") || strings.Contains(text, "'buildx' is not a docker command") || strings.Contains(text, "unknown flag: --bootstrap")):
		return Node{}, operr.New("install docker-buildx (Debian, Ubuntu: docker-buildx or docker-buildx-plugin)", "docker buildx builds the images, but docker has no buildx on this machine")
	case err != nil && strings.Contains(text, "no builder"):
		return Node{}, operr.New(makeBuilder+"; if the builder's name is wrong, correct BUILDX_BUILDER", "there is no builder %q", b.Name).WithDetail(b.LastLines(text))
	case err != nil:
		if nodes := b.findAbsent(ctx); nodes != "" {
			return Node{}, operr.New(strings.ReplaceAll(nextForNodes, "BUILDER", cmp.Or(b.Name, "BUILDER")), "the builder%s does not answer: %s: %w", named, nodes, err).WithDetail(b.LastLines(text))
		}
		return Node{}, operr.New(makeBuilder, "the builder%s does not answer: %w", named, err).WithDetail(b.LastLines(text))
	}
	return parseInspect(text), nil
}

// inspect returns the output of `buildx inspect`.
func (b *Builder) inspect(ctx context.Context, options ...string) (string, error) {
	var out bytes.Buffer
	args := append([]string{"buildx", "inspect"}, options...)
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	err := b.Runner.Run(ctx, command.Cmd{Name: "docker", Args: args, Env: b.makeEnviron(), Stdout: &out, Stderr: &out, Answers: true})
	return out.String(), err
}

// makeEnviron returns docker's environment. The only credentials in it are those for a builder or a registry, because a build runs third-party code
// on the builder, which may be this machine. Credentials that a build needs are secrets of its definition.
func (b *Builder) makeEnviron() []string {
	env, _ := command.Withhold(b.Secrets(), slices.Concat(command.Docker, b.Pass)...)
	return env
}

// bakeArgs returns the command line for building a definition that is passed on standard input. It allows access to folders outside the current
// one.
func (b *Builder) bakeArgs(d Bake, metadata string) []string {
	args := []string{"buildx", "bake", "--file=-", "--metadata-file=" + metadata, "--progress=plain"}
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	for _, t := range d.Target {
		args = append(args, "--allow=fs.read="+t.Context)
		for _, s := range t.Secret {
			if s.Type == "file" {
				args = append(args, "--allow=fs.read="+s.Src)
			}
		}
		if len(t.SSH) > 0 {
			args = append(args, "--allow=ssh")
		}
		for _, o := range t.Output {
			if dest, ok := readOption(o, "dest"); ok {
				args = append(args, "--allow=fs.write="+dest)
			}
		}
	}
	return args
}

// BuildResult contains a built image's digest and the steps of the build.
type BuildResult struct {
	Digest string
	Cached []string // steps from the cache, as named in BuildKit's output
	Ran    []string // steps that ran
}

// Build builds a definition. The metadata file is written to dir.
func (b *Builder) Build(ctx context.Context, d Bake, dir string) (BuildResult, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return BuildResult{}, err
	}
	metadata := filepath.Join(dir, "metadata.json")
	before, record, err := b.runTwice(ctx, func() (string, error) { return b.buildOnce(ctx, d, text, metadata) })
	if cause := context.Cause(ctx); cause != nil {
		return BuildResult{}, cause
	}
	if err != nil {
		return BuildResult{}, b.explain(ctx, err, record, findRepository(d))
	}
	built := readRecord(before).join(readRecord(record))
	built.Digest, err = readMetadata(metadata)
	return built, err
}

// Aside is a build that is based on an image but does not produce one.
type Aside struct {
	Platform   string // comma-separated if there are several
	Dockerfile []byte
	Output     string // the value of --output
	Context    string // a folder
	Named      string // NAME=PATH of an image that is not in a registry, for --build-context; "" for none
}

// BuildAside runs a build that is based on an image, and returns buildx's output.
func (b *Builder) BuildAside(ctx context.Context, a Aside) (record string, err error) {
	args := []string{"buildx", "build", "--platform=" + a.Platform, "--progress=plain", "--provenance=false", "--file=-", "--output=" + a.Output}
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	if a.Named != "" {
		args = append(args, "--build-context="+a.Named)
	}
	args = append(args, "--", a.Context)
	_, record, err = b.runTwice(ctx, func() (string, error) { return b.record(ctx, args, a.Dockerfile) })
	return record, err
}

// buildOnce builds a definition without retries, and returns buildx's output.
func (b *Builder) buildOnce(ctx context.Context, d Bake, text []byte, metadata string) (said string, err error) {
	if err := os.Remove(metadata); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return b.record(ctx, b.bakeArgs(d, metadata), text)
}

// record runs docker and returns its unmodified output, because redaction could break parsing: a secret may be part of a platform's name, for
// example. Secrets are redacted in everything that is displayed (the log, and [Builder.LastLines]).
func (b *Builder) record(ctx context.Context, args []string, stdin []byte) (string, error) {
	var record bytes.Buffer
	out := io.Writer(&record)
	if b.Log != nil {
		log, _, flush := command.Hiding(b.Secrets(), b.Log, nil)
		defer flush()
		out = io.MultiWriter(&record, log)
	}
	err := b.Runner.Run(ctx, command.Cmd{Name: "docker", Args: args, Env: b.makeEnviron(), Stdin: bytes.NewReader(stdin), Stdout: out, Stderr: out, Answers: true})
	return record.String(), err
}

// join combines the steps of two tries. A step that ran in the first try does not count as cached in the second.
func (b BuildResult) join(later BuildResult) BuildResult {
	later.Cached = slices.DeleteFunc(later.Cached, func(step string) bool { return slices.Contains(b.Ran, step) })
	later.Ran = append(slices.Clone(b.Ran), later.Ran...)
	for _, step := range b.Cached {
		if !slices.Contains(later.Cached, step) {
			later.Cached = append(later.Cached, step)
		}
	}
	return later
}

// readMetadata returns the digest in a metadata file. If there are several manifests, it is the digest of their index.
func readMetadata(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the result of buildx: %w", err)
	}
	var targets map[string]json.RawMessage
	if err := json.Unmarshal(data, &targets); err != nil {
		return "", fmt.Errorf("reading the result of buildx: %w", err)
	}
	var target struct {
		Digest string `json:"containerimage.digest"`
	}
	if err := json.Unmarshal(targets["default"], &target); err != nil || target.Digest == "" {
		return "", operr.New("run the same command with -v to see the output of buildx, and check that buildx is 0.19 or later", "buildx reported no digest")
	}
	return target.Digest, nil
}

// A numbered step in plain progress output: "#12 [linux/amd64 build 3/4] RUN …" ("[build 3/4]" for a single platform, "[3/4]" if the only stage is
// also unnamed), followed later by "#12 CACHED" or "#12 DONE 1.2s".
var (
	stepLine = lazyregexp.New(`^#(\d+) (\[(?:[^\]]* )?\d+/\d+\] .*)$`)
	fromStep = lazyregexp.New(`^\[[^\]]*\] FROM `) // never cached, because it resolves the name
	endLine  = lazyregexp.New(`^#(\d+) (CACHED|DONE [\d.]+s)$`)
)

// readRecord parses which Dockerfile steps ran, and which came from the cache.
func readRecord(text string) (b BuildResult) {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if m := stepLine().FindStringSubmatch(line); m != nil && !fromStep().MatchString(m[2]) {
			names[m[1]] = m[2]
		}
		m := endLine().FindStringSubmatch(line)
		if m == nil || names[m[1]] == "" {
			continue
		}
		if m[2] == "CACHED" {
			b.Cached = append(b.Cached, names[m[1]])
		} else {
			b.Ran = append(b.Ran, names[m[1]])
		}
		delete(names, m[1])
	}
	return b
}

// Secrets returns the environment whose secrets must not be published. It returns nil for a job without a builder.
func (b *Builder) Secrets() []string {
	if b == nil {
		return nil
	}
	runner, ok := b.Runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	return runner.Environ()
}

// LastLines returns the last lines of docker's output for display.
func (b *Builder) LastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(b.hide(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// hide redacts the environment's secrets in a text for display.
func (b *Builder) hide(text string) string {
	return command.Redact(text, command.Secrets(b.Secrets())...)
}
