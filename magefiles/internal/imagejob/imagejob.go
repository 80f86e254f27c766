// Package imagejob collects the inputs for an image: a downstream's manifest and Dockerfile, the commit, the environment's settings, and the content
// of the registry. It combines them into a job of package image, which builds, verifies and publishes the image.
//
//	run.go         prints, confirms and runs jobs: one image, all images, a merge, or a plan
//	imagejob.go    defines the settings, and makes jobs
//	request.go     makes the request for a plan from git, the environment and the registry
//	dockerfile.go  reads the Dockerfile, as a build will find it
//	secrets.go     prepares a build's secrets: pixi's configuration, and logins
//	channel.go     opens the channels that are checked before a build
//	pushed.go      finds an image in the registry, for a deployment
//	digests.go     stores the digests of pushed single-platform images, for a merge
package imagejob

import (
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Settings are the environment's settings for image builds. A field is "" if its variable is not set.
type Settings struct {
	Registry   string // IMAGE_REGISTRY: registry and owner
	Builder    string // BUILDX_BUILDER
	PixiImage  string // PIXI_IMAGE, a build argument
	BaseImage  string // BASE_IMAGE, a build argument
	PixiConfig string // PIXI_CONFIG: path of a config.toml for pixi
	AuthFile   string // RATTLER_AUTH_FILE
	SBOM       string // BUILDKIT_SBOM_GENERATOR: an image, or "off"
	Server     string // PREFIX_SERVER_URL
	Channel    string // name of our channel
	StandIn    bool   // the builder belongs to a rehearsal: channels are not checked for packages, and there is no SBOM

	Date  time.Time                  // SOURCE_DATE_EPOCH; zero uses the commit time
	IsSet func(variable string) bool // reports whether a variable that a manifest names as a secret is set

	HandOn func(name, value string) error // sets an output of the CI job; nil outside of CI
}

// Maker makes the image jobs of one workspace.
type Maker struct {
	Runner    command.Runner
	Workspace *workspace.Workspace
	Log       io.Writer // receives buildx's output; nil discards it
	Output    string    // name of the output folder for artifacts and images, below the workspace's root
	State     string    // name of the folder in the git directory for state that is kept between runs
	Lock      string    // name of pixi's lock file
	Settings
}

// Flags contains the command line flags.
type Flags struct {
	Push, Load, Again bool
	Platforms, Tags   []string // empty uses the manifest's platforms, and the tags for the version

	joined bool // nothing is built: pushed single-platform images are merged
}

// asking controls whether the registry's tags are read for a plan.
type asking int

// Values of asking.
const (
	unasked asking = iota // nothing is pushed, so no tag moves
	mayAsk                // the plan is only displayed: an unreachable registry is a warning
	mustAsk               // the image is pushed: an unreachable registry, or missing push access, is an error
)

// `asks` returns mustAsk if something is pushed, and unasked otherwise.
func (f Flags) asks() asking {
	if f.Push {
		return mustAsk
	}
	return unasked
}

// dir returns the folder for a downstream's image, relative to the workspace's root.
func (m *Maker) dir(downstream string) string {
	return filepath.Join(m.Workspace.Root, m.Output, "images", filepath.FromSlash(downstream))
}

// job plans a downstream's image and prepares the build.
func (m *Maker) job(ctx context.Context, d *workspace.Downstream, f Flags, ask asking) (*image.Job, error) {
	w := m.Workspace
	config, err := m.readPixiConfig(d)
	if err != nil {
		return nil, err
	}
	repo, err := gitrepo.Open(ctx, m.Runner, w.Root)
	if err != nil {
		return nil, err
	}
	if err := m.refuseCommitted(ctx, repo, d); err != nil {
		return nil, err
	}
	images := &registry.Registry{}
	r, err := m.makeRequest(ctx, d, repo, f, images)
	if err != nil {
		return nil, err
	}
	dir := m.dir(d.Dir)
	if err := m.makeOutput(dir); err != nil {
		return nil, err
	}
	if r.Secrets, err = writeSecrets(config, m.AuthFile, dir); err != nil {
		return nil, err
	}
	history, known := orderCommits(repo), filepath.Join(repo.Common, m.State, records)
	p, err := makePlan(ctx, r, images, history, known, ask)
	if err != nil {
		return nil, err
	}
	var lock []byte
	if r.Locked {
		lock, _ = beneath.ReadFile(repo.Top, filepath.Join(w.Root, d.Dir, m.Lock))
	}
	return &image.Job{
		Plan:     p,
		Records:  known,
		Builder:  &buildx.Builder{Runner: m.Runner, Name: m.Builder, Log: m.Log, Pass: d.Image.Secrets},
		Registry: images,
		History:  history,
		Push:     f.Push,
		Load:     f.Load,
		Again:    f.Again,
		Dir:      dir,
		Host:     "linux/" + runtime.GOARCH,
		Packages: func(ctx context.Context, platforms []string) (string, error) {
			if m.StandIn {
				return "not asked: the builder is a stand-in", nil
			}
			return checkPackages(ctx, d, config, m.AuthFile, platforms, lock)
		},
		Export: func(ctx context.Context, dir string) (string, error) {
			folder := path.Join(repo.Prefix, d.Dir)
			return filepath.Join(dir, filepath.FromSlash(folder)), gitclone.Export(ctx, repo, p.Revision, folder, dir)
		},
	}, nil
}

// records is the folder in Maker.State for the clone's records about images.
const records = "images"

// refuseCommitted returns an error if files in the image folder, including digests, are committed: otherwise, whoever commits such a file could
// choose what is published.
func (m *Maker) refuseCommitted(ctx context.Context, repo *gitrepo.Repo, d *workspace.Downstream) error {
	tracked, err := repo.Tracked(ctx, path.Join(m.Output, "images", d.Dir))
	if err != nil || len(tracked) == 0 {
		return err
	}
	return operr.New("remove the file from git with `git rm --cached`, and find out who committed the file", "%s is committed, but this folder is only for files that a build writes", tracked[0])
}

// makeOutput creates a folder in the workspace's output folder, which git ignores.
func (m *Maker) makeOutput(dir string) error {
	if err := atomicfile.MakeIgnored(filepath.Join(m.Workspace.Root, m.Output)); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}
