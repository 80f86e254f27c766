// Package imagejob gathers what an image is made of: a downstream's manifest and Dockerfile, the commit, what the environment says, and what
// the registry has. What comes of it is a job of package image, which builds, proves and publishes.
//
//	run.go         one image, all images, a merge, a plan: in which order a person sees, is asked, and gets it
//	imagejob.go    what is told from outside, and a job made of it
//	request.go     what a plan is asked for: git, the environment, the registry
//	dockerfile.go  the Dockerfile, as a build will find it
//	secrets.go     what a build is lent: pixi's configuration, and logins
//	channel.go     the channels that are asked before a build
//	pushed.go      an image that the registry has, for a deployment
//	digests.go     what was pushed for single platforms, for a merge
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

// Settings are what image builds are told by the environment; "" where it is not set.
type Settings struct {
	Registry   string // IMAGE_REGISTRY: registry and owner
	Builder    string // BUILDX_BUILDER
	PixiImage  string // PIXI_IMAGE, a build argument
	BaseImage  string // BASE_IMAGE, a build argument
	PixiConfig string // PIXI_CONFIG: a config.toml of pixi's
	AuthFile   string // RATTLER_AUTH_FILE
	SBOM       string // BUILDKIT_SBOM_GENERATOR: an image, or "off"
	Server     string // PREFIX_SERVER_URL
	Channel    string // the name of our channel
	StandIn    bool   // the builder is a rehearsal's: no channel is asked for what images are made of, and nothing makes an SBOM

	Date  time.Time                  // SOURCE_DATE_EPOCH; zero for the commit's
	IsSet func(variable string) bool // of those that a manifest names as secrets

	HandOn func(name, value string) error // makes something an output of the CI's job; nil outside of one
}

// Maker makes the jobs of one workspace.
type Maker struct {
	Runner    command.Runner
	Workspace *workspace.Workspace
	Log       io.Writer // gets what buildx says; nil discards
	Output    string    // name of the folder for artifacts and images, below the workspace's root
	State     string    // name of the folder in git's for what must be known of other runs
	Lock      string    // name of pixi's lock file
	Settings
}

// Flags are what a person asks for.
type Flags struct {
	Push, Load, Again bool
	Platforms, Tags   []string // none: those of the manifest, and of the version

	joined bool // nothing is built: what was pushed for single platforms is joined
}

// asking reports whether the registry decides about the tags of a plan.
type asking int

// When the registry is asked.
const (
	unasked asking = iota // nothing is pushed: no tag moves
	mayAsk                // a plan to be looked at: one that cannot be asked is a warning
	mustAsk               // a push: it has to be permitted, too
)

// asks is mustAsk where something is pushed.
func (f Flags) asks() asking {
	if f.Push {
		return mustAsk
	}
	return unasked
}

// dir is where what belongs to one downstream's image is kept, below the workspace's root.
func (m *Maker) dir(downstream string) string {
	return filepath.Join(m.Workspace.Root, m.Output, "images", filepath.FromSlash(downstream))
}

// job plans the image of a downstream, and prepares to build it.
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

// records is the folder of the clone's records about images, in the one for what must be known of other runs.
const records = "images"

// refuseCommitted refuses what git has of the folder in which an image and its digests are kept: whoever commits such a file
// would say what is published.
func (m *Maker) refuseCommitted(ctx context.Context, repo *gitrepo.Repo, d *workspace.Downstream) error {
	tracked, err := repo.Tracked(ctx, path.Join(m.Output, "images", d.Dir))
	if err != nil || len(tracked) == 0 {
		return err
	}
	return operr.New("`git rm --cached` it, and see who committed it", "%s is committed: there is only what a build writes", tracked[0])
}

// makeOutput makes a folder below the workspace's output, where nobody commits it.
func (m *Maker) makeOutput(dir string) error {
	if err := atomicfile.MakeIgnored(filepath.Join(m.Workspace.Root, m.Output)); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o755)
}
