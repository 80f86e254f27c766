package image

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/docker/cli/cli/config"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// job returns a job whose builder calls f instead of docker.
func job(t *testing.T, change func(r *Request), f func(ctx context.Context, c command.Cmd) error) *Job {
	r := request(t)
	change(&r)
	p, err := New(r)
	require.NoError(t, err)
	return &Job{
		Plan:     p,
		Builder:  &buildx.Builder{Runner: imagetest.Docker(f), Pause: imagetest.NoPause},
		Registry: &registry.Registry{},
		Dir:      t.TempDir(),
		Host:     "linux/amd64",
		Packages: func(context.Context, []string) (string, error) { return "", nil },
		Result:   newResult(p),
	}
}

func same(*Request) {}

// noSteps fails at the first step of a job.
var noSteps imagetest.Reporter = func(name string, _ func() (string, error)) error { return errors.New(name + " was reached") }

func TestRefusedBeforeAnyRequest(t *testing.T) {
	j := job(t, func(r *Request) { r.Dirty = true }, imagetest.Say(1, ""))
	require.ErrorContains(t, j.Run(t.Context(), noSteps), "registry was reached", "uncommitted changes may be built if the image is not pushed")
	j.Push = true
	require.ErrorContains(t, j.Run(t.Context(), noSteps), "app has changes that are not committed")
	require.ErrorContains(t, j.Merge(t.Context(), nil, noSteps), "app has changes that are not committed")
	require.ErrorContains(t, j.Reproduce(t.Context(), noSteps), "app has changes that are not committed")

	j = job(t, func(r *Request) { r.Platforms = []string{"linux/arm64"} }, imagetest.Say(1, ""))
	j.Load = true
	err := j.Run(t.Context(), noSteps)
	require.EqualError(t, err, "theapp is not built for linux/amd64, the platform of this machine's engine")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))

	j = job(t, same, imagetest.Say(1, ""))
	unlock, _, err := journal.Lock(filepath.Join(j.Dir, "lock"))
	require.NoError(t, err)
	err = j.Run(t.Context(), noSteps)
	require.ErrorContains(t, err, "another build of the image of app is running, locked by process")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	unlock()
	require.ErrorContains(t, j.Run(t.Context(), noSteps), "registry was reached")
}

// An image is built from an export of the committed files, which is removed afterwards. With uncommitted changes, it is built in the work tree.
func TestFolderOfABuild(t *testing.T) {
	var built string
	run := func(_ context.Context, c command.Cmd) error {
		text := make([]byte, 1<<16)
		n, _ := c.Stdin.Read(text)
		built = string(text[:n])
		return errors.New("enough")
	}
	j := job(t, func(r *Request) { r.Dirty = true }, run)
	_, err := j.build(t.Context())
	require.Error(t, err)
	require.Contains(t, built, `"context": "/w/app"`)

	j = job(t, same, run)
	var exported string
	j.Export = func(_ context.Context, dir string) (string, error) {
		exported = filepath.Join(dir, "app")
		return exported, os.MkdirAll(exported, 0o755)
	}
	_, err = j.build(t.Context())
	require.Error(t, err)
	require.Contains(t, built, `"context": "`+exported+`"`)
	require.NoDirExists(t, exported)

	no := errors.New("the disk is full")
	j.Export = func(_ context.Context, dir string) (string, error) {
		return dir, errors.Join(no, os.MkdirAll(filepath.Join(dir, "half"), 0o755))
	}
	_, err = j.build(t.Context())
	require.ErrorIs(t, err, no)
	require.NoDirExists(t, filepath.Dir(exported), "a failed export leaves no files")
	j.Export = func(_ context.Context, dir string) (string, error) { return dir, os.MkdirAll(dir, 0o755) }

	require.NoError(t, os.WriteFile(filepath.Join(j.Dir, "metadata.json"), []byte(`{"default":{"containerimage.digest":"sha256:old"}}`), 0o644))
	j.Builder.Runner = imagetest.Docker(imagetest.Say(0, ""))
	_, err = j.build(t.Context())
	require.ErrorContains(t, err, "reading the result of buildx", "the result of an earlier build is not reused")
}

func TestUncheckedImageIsNotTagged(t *testing.T) {
	var ran atomic.Int32
	j := job(t, same, func(_ context.Context, c command.Cmd) error {
		if slices.Contains(c.Args, "--output=type=cacheonly") {
			ran.Add(1)
		}
		return nil
	})
	j.index = &registry.Index{Images: []registry.Image{{Platform: "linux/amd64"}, {Platform: "linux/arm64"}}}
	j.node = buildx.Node{Name: "far", Platforms: []string{"linux/s390x"}}
	said, err := j.smoke(t.Context())
	require.NoError(t, err)
	require.Equal(t, "not run; not on linux/amd64 and linux/arm64, which this builder cannot run", said, "an image that is not pushed may stay unchecked")

	j.Push = true
	_, err = j.smoke(t.Context())
	require.ErrorContains(t, err, "the image of theapp was not checked, because the builder far cannot run any of its platforms: linux/amd64, linux/arm64")
	require.Zero(t, ran.Load())

	j.node.Platforms, j.Result = []string{"linux/arm64"}, newResult(j.Plan)
	said, err = j.smoke(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ran sh -c python -c 'import lib' on linux/arm64; not on linux/amd64, which this builder cannot run", said)
	require.EqualValues(t, 1, ran.Load())

	j.index.Images[1].Entrypoint, j.Result = []string{"/bin/sh", "-c", "serve"}, newResult(j.Plan)
	_, err = j.smoke(t.Context())
	require.ErrorContains(t, err, "has an entry point in the shell form")
	require.EqualValues(t, 1, ran.Load())
}

func TestRevisionTag(t *testing.T) {
	require.Equal(t, "sha-abababababab", RevisionTag("abababababababab"))
	require.Equal(t, "sha-abababababab-dirty", RevisionTag("abababababababab-dirty"))
}

// Paths may contain characters that separate values in buildx's options or start expressions in a definition.
func TestPathsWithSpecialCharacters(t *testing.T) {
	r := request(t)
	r.Root, r.Secrets = "/w,x ${a}", map[string]string{"PIXI_CONFIG": "/s ${b}/c"}
	p, err := New(r)
	require.NoError(t, err)
	kept := p.keep("/o,x ${c}")
	args := argv(t, "", kept, "/w/output")
	require.Subset(t, args, []string{"--allow=fs.read=/w,x ${a}/app", "--allow=fs.read=/s ${b}/c", "--allow=fs.write=/o,x ${c}"})
	text, err := kept.Target["default"].MarshalJSON()
	require.NoError(t, err)
	for _, dir := range []string{`/a"b/oci`, `/"/oci`, `/a""b c,d/oci`, "/a\nb/oci"} {
		kept := p.keep(dir)
		require.Contains(t, argv(t, "", kept, "/w/output"), "--allow=fs.write="+dir)
		fields, err := csv.NewReader(strings.NewReader(kept.Target["default"].Output[0])).Read()
		require.NoError(t, err)
		require.Equal(t, "dest="+dir, fields[1])
	}
	for _, literal := range []string{`"context":"/w,x $${a}/app"`, `"src":"/s $${b}/c"`, `\"dest=/o,x $${c}\"`} {
		require.Contains(t, string(text), literal)
	}
}

// Anyone can use a BuildKit that listens on plain TCP, so the step warns about it. A local BuildKit, or one behind TLS or ssh, is safe.
func TestHostileNetworkWithAPlainTCPBuilder(t *testing.T) {
	tls := `Driver Options:   cacert="/c/ca.pem" cert="/c/cert.pem" key="/c/key.pem" servername="big"`
	for nodes, want := range map[string][]string{
		"Endpoint: tcp://big:1234\nStatus: running\n":                                            {"tcp://big:1234"},
		"Endpoint: tcp://10.0.0.7:1234\n" + tls + "\nEndpoint: tcp://[fd00::1]:1234\n":           {"tcp://[fd00::1]:1234"},
		"Endpoint: tcp://a:1\nDriver Options:   default-load=\"true\"\nEndpoint: tcp://b:1\n":    {"tcp://a:1", "tcp://b:1"},
		"Endpoint: tcp://big:1234\n" + tls + "\n":                                                nil,
		"Endpoint: ssh://me@big\nEndpoint: unix:///run/b.sock\nEndpoint: kube-pod://b\n":         nil,
		"Endpoint: tcp://127.0.0.1:1234\nEndpoint: tcp://localhost:1\nEndpoint: tcp://[::1]:1\n": nil,
	} {
		j := job(t, same, imagetest.Say(0, "Name: x\nDriver: remote\n"+nodes))
		said, err := j.look(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, want, j.node.Bare, nodes)
		for _, address := range want {
			require.Contains(t, said, address)
		}
		require.Equal(t, want != nil, strings.Contains(said, "without TLS, anyone who can reach "), said)
	}
}

// If the image contains a credential, neither a tag nor a merge step runs.
func TestACredentialEndsVerify(t *testing.T) {
	s := imagetest.NewShop(t)
	j := pushing(t, s, same)
	j.Plan.Labels[labelAbout] = "from http://u:secret@h"
	j.Result.Digest = s.Put(t, j.Plan.Repository, j.Plan.Labels, j.Plan.Platforms...)
	_, err := j.verify(t.Context())
	require.ErrorContains(t, err, "of theapp has a password in an address, at "+labelAbout)
	require.Contains(t, fmt.Sprintf("%+v", err), "No tag was moved; replace this secret with a new one, because the image is already in the registry, under its digest")

	err = j.Merge(t.Context(), []string{j.Result.Digest}, imagetest.Quiet)
	require.ErrorContains(t, err, "of theapp has a password in an address")
	tags, err := j.Registry.Tags(t.Context(), j.Plan.Repository)
	require.NoError(t, err)
	require.Empty(t, tags)
}

// If docker's proxy settings contain a password, the provenance omits the build arguments, and the step explains why.
func TestBuildBehindAProxy(t *testing.T) {
	before := config.Dir()
	t.Cleanup(func() { config.SetDir(before) })
	for address, guarded := range map[string]bool{"http://proxy:3128": false, "http://u:secret@proxy:3128": true, "u:secret@proxy:3128": true} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"proxies":{"default":{"httpsProxy":"`+address+`"}}}`), 0o600))
		config.SetDir(dir)
		var j *Job
		var definition []byte
		j = job(t, same, func(_ context.Context, c command.Cmd) (err error) {
			if definition, err = io.ReadAll(c.Stdin); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(j.Dir, "metadata.json"), []byte(`{"default":{"containerimage.digest":"sha256:x"}}`), 0o644)
		})
		j.Push = true
		j.Export = func(_ context.Context, dir string) (string, error) { return dir, os.MkdirAll(dir, 0o755) }
		said, err := j.build(t.Context())
		require.NoError(t, err)
		require.Equal(t, guarded, strings.HasSuffix(said, "; the provenance omits the build arguments, because docker's proxy settings have a password"), said)
		require.Equal(t, guarded, strings.Contains(string(definition), "type=provenance,mode=min"), address)
		require.Equal(t, !guarded, strings.Contains(string(definition), "type=provenance,mode=max"), address)
	}
}
