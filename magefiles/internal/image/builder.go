package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Builder runs buildx.
type Builder struct {
	Runner command.Runner
	Name   string    // of the builder; "" is the one that buildx has selected
	Log    io.Writer // what buildx says; nil discards
}

// Node is what a builder can do.
type Node struct {
	Name, Driver string
	Platforms    []string // that it can run, by emulation too
	HostNetwork  bool     // a container that has this machine's network
	Bare         []string // addresses on other machines to which it talks without TLS: anyone who reaches them can build there
}

// Loopback says whether the builder can reach what listens on this machine's loopback. One on another machine cannot
// either, but that is not to be seen.
func (n Node) Loopback() bool {
	return n.HostNetwork || n.Driver != "docker-container" && n.Driver != "kubernetes" && n.Driver != "docker"
}

const makeBuilder = "`docker buildx create --use --driver docker-container` makes one here; README says how to use one elsewhere"

// Look starts the builder, where it has to be, and says what it can do.
func (b *Builder) Look(ctx context.Context) (Node, error) {
	var out bytes.Buffer
	args := []string{"buildx", "inspect", "--bootstrap"}
	if b.Name != "" {
		args = append(args, "--builder="+b.Name)
	}
	err := b.Runner.Run(ctx, command.Cmd{Name: "docker", Args: args, Env: b.environ(), Stdout: &out, Stderr: &out, Answers: true})
	if cause := context.Cause(ctx); cause != nil {
		return Node{}, cause
	}
	text, named := out.String(), ""
	if b.Name != "" {
		named = ", " + b.Name
	}
	switch {
	case errors.Is(err, command.ErrNotFound):
		return Node{}, operr.New("install docker's command line and buildx, or set PATH", "images are built by docker buildx, and there is no docker on PATH")
	case err != nil && (strings.Contains(text, "unknown command: docker buildx") || strings.Contains(text, "'buildx' is not a docker command") || strings.Contains(text, "unknown flag: --bootstrap")):
		return Node{}, operr.New("install docker-buildx (Debian, Ubuntu: docker-buildx or docker-buildx-plugin)", "images are built by docker buildx, and docker has no buildx here")
	case err != nil && strings.Contains(text, "no builder"):
		return Node{}, operr.New(makeBuilder+", or correct BUILDX_BUILDER", "there is no builder %q", b.Name).WithDetail(lastLines(text))
	case err != nil:
		return Node{}, operr.New(makeBuilder, "the builder does not answer%s: %w", named, err).WithDetail(lastLines(text))
	}
	return parseInspect(text), nil
}

// environ is what docker gets: what it is let in by, at a builder and at a registry, and no other credential. A build runs code of
// others on the builder, which may be this machine. What a build is to have is a secret of its definition.
func (b *Builder) environ() []string {
	env, _ := command.Withhold(b.secrets(), command.Docker...)
	return env
}

// parseInspect reads what `buildx inspect` prints: the builder, and then each of its nodes.
func parseInspect(text string) (n Node) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case key == "Endpoint" && bare(value):
			n.Bare = append(n.Bare, value)
		case key == "Name" && n.Name == "":
			n.Name = value
		case key == "Driver":
			n.Driver = value
		case key == "Driver Options":
			n.HostNetwork = strings.Contains(value, `network="host"`)
			if last := len(n.Bare) - 1; last >= 0 && strings.Contains(value, `cacert="`) { // of the node whose endpoint was just read
				n.Bare = n.Bare[:last]
			}
		case key == "Platforms":
			for p := range strings.SplitSeq(value, ",") {
				p = strings.TrimSuffix(strings.TrimSpace(p), "*") // a star is a platform that was set by hand
				if p != "" && !slices.Contains(n.Platforms, p) {
					n.Platforms = append(n.Platforms, p)
				}
			}
		}
	}
	return n
}

// bare says whether an endpoint is a plain TCP port of another machine. TLS is a matter of the node's options.
func bare(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "tcp" && !httpclient.Loopback(u.Hostname())
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
			args = append(args, "--allow=fs.read="+s.Src)
		}
		for _, o := range t.Output {
			if dest, ok := valueOf(o, "dest"); ok {
				args = append(args, "--allow=fs.write="+dest)
			}
		}
	}
	return args
}

// Built is what came of a build.
type Built struct {
	Digest string
	Cached []string // steps that were taken from the cache, as the build's own record names them
	Ran    []string // steps that were run
}

// bake builds a definition. dir is a folder for the metadata file.
func (b *Builder) bake(ctx context.Context, d Bake, dir string) (Built, error) {
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return Built{}, err
	}
	metadata := filepath.Join(dir, "metadata.json")
	var before Built
	for again := false; ; again = true {
		record, err := b.bakeOnce(ctx, d, text, metadata)
		if cause := context.Cause(ctx); cause != nil {
			return Built{}, cause
		}
		if err != nil && !again && passing(record) {
			before = readRecord(record)
			continue
		}
		if err != nil {
			return Built{}, buildError(err, record, b.Name, pushesTo(d))
		}
		built := before.and(readRecord(record))
		built.Digest, err = readMetadata(metadata)
		return built, err
	}
}

// bakeOnce builds a definition, and returns what buildx said.
func (b *Builder) bakeOnce(ctx context.Context, d Bake, text []byte, metadata string) (said string, err error) {
	if err := os.Remove(metadata); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	var record bytes.Buffer
	out := io.Writer(&record)
	if b.Log != nil {
		out = io.MultiWriter(&record, b.Log)
	}
	err = b.Runner.Run(ctx, command.Cmd{Name: "docker", Args: b.bakeArgs(d, metadata), Env: b.environ(), Stdin: bytes.NewReader(text), Stdout: out, Stderr: out})
	return record.String(), err
}

// and is what two tries did: a step that the first one ran is not one that was there before.
func (b Built) and(later Built) Built {
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
	stepLine = lazily(`^#(\d+) (\[(?:[^\]]* )?\d+/\d+\] .*)$`)
	fromStep = lazily(`^\[[^\]]*\] FROM `) // done each time: it says what the name stands for
	endLine  = lazily(`^#(\d+) (CACHED|DONE [\d.]+s)$`)
)

// readRecord tells which steps of the Dockerfile were run.
func readRecord(text string) (b Built) {
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

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
