// Package buildx builds images by `docker buildx`, on a builder of this machine, a remote one, one in Kubernetes, or one of several nodes.
// Nothing of a target platform is run here. It knows definitions, and nothing of plans.
//
//	builder.go     a builder is looked at, builds, and builds beside an image
//	nodes.go       its nodes, and which of them are gone
//	definition.go  what it is given, for each kind of output
//	failure.go     what BuildKit says when it fails becomes a sentence
//	remedies.go    the tables of what is known to fail, and what to do about it
//	passing.go     what may pass is tried a second time
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

// Builder runs buildx.
type Builder struct {
	Runner command.Runner
	Name   string    // of the builder; "" is the one that buildx has selected
	Log    io.Writer // what buildx says; nil discards
	Pass   []string  // variables that are secrets of a build, which docker would not get otherwise

	Pause func(ctx context.Context, d time.Duration) error // before a second try; nil is pause.For
}

const makeBuilder = "`docker buildx create --use --driver docker-container` makes one here; README says how to use one elsewhere"

// Look starts the builder, where it has to be, and says what it can do.
func (b *Builder) Look(ctx context.Context) (Node, error) {
	_, text, err := b.twice(ctx, func() (string, error) { return b.inspect(ctx, "--bootstrap") })
	if cause := context.Cause(ctx); cause != nil {
		return Node{}, cause
	}
	named := ""
	if b.Name != "" {
		named = ", " + b.Name
	}
	switch {
	case errors.Is(err, command.ErrNotFound):
		return Node{}, operr.New("install docker's command line and buildx, or set PATH", "images are built by docker buildx, and there is no docker on PATH")
	case err != nil && (strings.Contains(text, "unknown command: docker buildx") || strings.Contains(text, "'buildx' is not a docker command") || strings.Contains(text, "unknown flag: --bootstrap")):
		return Node{}, operr.New("install docker-buildx (Debian, Ubuntu: docker-buildx or docker-buildx-plugin)", "images are built by docker buildx, and docker has no buildx here")
	case err != nil && strings.Contains(text, "no builder"):
		return Node{}, operr.New(makeBuilder+", or correct BUILDX_BUILDER", "there is no builder %q", b.Name).WithDetail(b.LastLines(text))
	case err != nil:
		if nodes := b.findAbsent(ctx); nodes != "" {
			return Node{}, operr.New(strings.ReplaceAll(nextForNodes, "BUILDER", cmp.Or(b.Name, "BUILDER")), "the builder does not answer%s: %s: %w", named, nodes, err).WithDetail(b.LastLines(text))
		}
		return Node{}, operr.New(makeBuilder, "the builder does not answer%s: %w", named, err).WithDetail(b.LastLines(text))
	}
	return parseInspect(text), nil
}

// inspect is what buildx says of the builder.
func (b *Builder) inspect(ctx context.Context, options ...string) (string, error) {
	var out bytes.Buffer
	args := append([]string{"buildx", "inspect"}, options...)
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	err := b.Runner.Run(ctx, command.Cmd{Name: "docker", Args: args, Env: b.makeEnviron(), Stdout: &out, Stderr: &out, Answers: true})
	return out.String(), err
}

// makeEnviron is what docker gets: what it is let in by, at a builder and at a registry, and no other credential. A build runs code of
// others on the builder, which may be this machine. What a build is to have is a secret of its definition.
func (b *Builder) makeEnviron() []string {
	env, _ := command.Withhold(b.Secrets(), slices.Concat(command.Docker, b.Pass)...)
	return env
}

// bakeArgs is the command line that builds a definition given on standard input. The folders outside of the current one
// have to be allowed.
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

// BuildResult is what came of a build.
type BuildResult struct {
	Digest string
	Cached []string // steps that were taken from the cache, as the build's own record names them
	Ran    []string // steps that were run
}

// Build builds a definition. dir is a folder for the metadata file.
func (b *Builder) Build(ctx context.Context, d Bake, dir string) (BuildResult, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return BuildResult{}, err
	}
	metadata := filepath.Join(dir, "metadata.json")
	before, record, err := b.twice(ctx, func() (string, error) { return b.buildOnce(ctx, d, text, metadata) })
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

// Aside is a build beside an image, which stands on it, and of which no image comes.
type Aside struct {
	Platform   string // with commas between several
	Dockerfile []byte
	Output     string // where it goes, as --output has it
	Context    string // a folder
	Named      string // NAME=WHERE of an image that is in no registry, as --build-context has it; "" is none
}

// BuildAside builds beside an image, and returns what buildx said.
func (b *Builder) BuildAside(ctx context.Context, a Aside) (record string, err error) {
	args := []string{"buildx", "build", "--platform=" + a.Platform, "--progress=plain", "--provenance=false", "--file=-", "--output=" + a.Output}
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	if a.Named != "" {
		args = append(args, "--build-context="+a.Named)
	}
	args = append(args, "--", a.Context)
	_, record, err = b.twice(ctx, func() (string, error) { return b.record(ctx, args, a.Dockerfile) })
	return record, err
}

// buildOnce builds a definition, and returns what buildx said.
func (b *Builder) buildOnce(ctx context.Context, d Bake, text []byte, metadata string) (said string, err error) {
	if err := os.Remove(metadata); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return b.record(ctx, b.bakeArgs(d, metadata), text)
}

// record runs docker, and returns what it said as it is: a secret may be a part of what is looked for in it, as of a platform's name.
// What people see of it has no secret: the log, and what [Builder.LastLines] gives.
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

// join is what two tries did: a step that the first one ran is not one that was there before.
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

// readMetadata takes the digest from a metadata file: that of the index, where several manifests were made. It is empty for
// an image that went to the engine.
func readMetadata(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading what buildx says it built: %w", err)
	}
	var targets map[string]json.RawMessage
	if err := json.Unmarshal(data, &targets); err != nil {
		return "", fmt.Errorf("reading what buildx says it built: %w", err)
	}
	var target struct {
		Digest string `json:"containerimage.digest"`
	}
	if err := json.Unmarshal(targets["default"], &target); err != nil || target.Digest == "" {
		return "", operr.New("see what buildx says with -v, and whether it is 0.19 or later", "buildx reported no digest")
	}
	return target.Digest, nil
}

// A numbered step of the plain record: "#12 [linux/amd64 build 3/4] RUN …" ("[build 3/4]" for one platform, and "[3/4]" for one
// stage without a name besides), and later "#12 CACHED" or "#12 DONE 1.2s".
var (
	stepLine = lazyregexp.New(`^#(\d+) (\[(?:[^\]]* )?\d+/\d+\] .*)$`)
	fromStep = lazyregexp.New(`^\[[^\]]*\] FROM `) // done each time: it says what the name stands for
	endLine  = lazyregexp.New(`^#(\d+) (CACHED|DONE [\d.]+s)$`)
)

// readRecord tells which steps of the Dockerfile were run.
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

// Secrets is the environment whose secrets must not be published; none is that of a job without a builder.
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

// LastLines are the last lines of what docker said, for people.
func (b *Builder) LastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(b.hide(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// hide is a text for people: without the secrets of the environment.
func (b *Builder) hide(text string) string {
	return command.Redact(text, command.Secrets(b.Secrets())...)
}
