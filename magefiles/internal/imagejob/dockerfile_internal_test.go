package imagejob

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// A build gets the folder and nothing else: a Dockerfile that it will not find there is told of before anything is built.
func TestDockerfilesThatABuildDoesNotFind(t *testing.T) {
	for name, c := range map[string]struct {
		link map[string]string // in app
		file map[string]string
		want string
	}{
		"out of the folder": {
			link: map[string]string{"Dockerfile": "../docker/app.Dockerfile"},
			file: map[string]string{"docker/app.Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../docker/app.Dockerfile: a build gets the folder app alone, and does not find it",
		},
		"out of the folder in two steps": {
			link: map[string]string{"Dockerfile": "here", "here": "../there"},
			file: map[string]string{"there": "FROM scratch\n"},
			want: "app/Dockerfile is a link to here: a build gets the folder app alone, and does not find it",
		},
		"through a folder that is a link": {
			link: map[string]string{"Dockerfile": "docker/Dockerfile", "docker": "../docker"},
			file: map[string]string{"docker/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to docker/Dockerfile: a build gets the folder app alone",
		},
		"what the build leaves out": {
			link: map[string]string{".dockerignore": "../.dockerignore"},
			file: map[string]string{"app/Dockerfile": "FROM scratch\n", ".dockerignore": "x\n"},
			want: "app/.dockerignore is a link to ../.dockerignore: a build gets",
		},
		"a folder whose name begins alike": {
			link: map[string]string{"Dockerfile": "../app2/Dockerfile"},
			file: map[string]string{"app2/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../app2/Dockerfile",
		},
		"within the folder": {map[string]string{"Dockerfile": "docker/it"}, map[string]string{"app/docker/it": "FROM scratch\n"}, ""},
		"nothing":           {nil, nil, "app has no Dockerfile"},
		"ignored":           {nil, map[string]string{"app/Dockerfile": "FROM scratch\n", ".gitignore": "Dockerfile\n"}, "git does not have app/Dockerfile, and what is committed is what is built"},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, `"https://prefix.dev/ours"`)
			a := maker(w)
			for file, text := range c.file {
				at := filepath.Join(w.Root, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
			}
			for file, to := range c.link {
				require.NoError(t, os.Symlink(to, filepath.Join(w.Root, "app", file)))
			}
			for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}} {
				require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
			}
			repo, err := gitrepo.Open(t.Context(), a.Runner, w.Root)
			require.NoError(t, err)
			r, err := a.makeRequest(t.Context(), w.Downstreams[0], repo, Flags{}, &registry.Registry{})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "FROM scratch\n", string(r.Dockerfile))
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A downstream that is a submodule, or in one, is told by that: there is nothing to be added to git.
func TestDownstreamsInSubmodules(t *testing.T) {
	for name, link := range map[string]string{"itself": "app", "in a folder": "things", "deep": "a/b"} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, `"https://prefix.dev/ours"`)
			a := maker(w)
			git := func(dir string, args ...string) {
				args = append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)
				require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
			}
			d := *w.Downstreams[0]
			if d.Dir = link; name != "itself" {
				d.Dir += "/app"
			}
			require.NoError(t, os.MkdirAll(filepath.Join(w.Root, d.Dir), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(w.Root, d.Dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
			sub := filepath.Join(w.Root, link)
			git(sub, "init", "-q")
			git(sub, "add", "-A")
			git(sub, "commit", "-q", "-m", "first")
			git(w.Root, "init", "-q")
			git(w.Root, "add", "-A")
			git(w.Root, "commit", "-q", "-m", "first")
			repo, err := gitrepo.Open(t.Context(), a.Runner, w.Root)
			require.NoError(t, err)
			for range 2 { // and with changes in it
				_, err = a.makeRequest(t.Context(), &d, repo, Flags{}, &registry.Registry{})
				require.ErrorContains(t, err, d.Dir+" is in the submodule "+link+": ")
				require.NoError(t, os.WriteFile(filepath.Join(w.Root, d.Dir, "Dockerfile"), []byte("FROM busybox\n"), 0o644))
			}
		})
	}
}

// The generator of SBOMs that cannot be had is cured by what is the matter with it, and not by a mirror in any case.
func TestTheNextStepForAGeneratorOfSBOMs(t *testing.T) {
	for status, next := range map[int]string{
		http.StatusNotFound:        "mirror it and correct BUILDKIT_SBOM_GENERATOR; ",
		http.StatusForbidden:       "log in: `docker login 127.0.0.1:",
		http.StatusTooManyRequests: "wait, and run it again",
		http.StatusBadRequest:      "see what the registry, or a proxy before it, has against it",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		_, _, err := chooseGenerator(t.Context(), &registry.Registry{}, strings.TrimPrefix(s.URL, "http://")+"/a/scanner:1")
		s.Close()
		require.Contains(t, fmt.Sprintf("%+v", err), "\n→ "+next)
		require.Contains(t, operr.NextOf(err), "BUILDKIT_SBOM_GENERATOR=off makes none")
	}
	docker := t.TempDir()
	t.Setenv("DOCKER_CONFIG", docker)
	require.NoError(t, os.WriteFile(filepath.Join(docker, "config.json"), []byte(`{"credsStore":"not-there"}`), 0o600))
	_, _, err := chooseGenerator(t.Context(), &registry.Registry{}, "127.0.0.1:1/a/scanner:1")
	require.ErrorContains(t, err, "docker-credential-not-there cannot be used")
	require.Contains(t, operr.NextOf(err), "install it, or take it out of docker's config.json")
}
