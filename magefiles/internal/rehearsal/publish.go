package rehearsal

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/publish"
)

// start brings the embedded prefix.dev up, with a publisher that talks to it as a release talks to the real one.
func (r *run) start(ctx context.Context) (string, error) {
	var err error
	if r.world, err = newWorld(ctx, filepath.Join(r.Dir, "channels"), r.workspace.Config.Channel, r.workspace.Manifest.Name); err != nil {
		return "", err
	}
	r.missing("tag, push, GitHub release, images, deployments", "a rehearsal does not reach that far yet")
	r.publisher = &publish.Publisher{
		Workspace: r.workspace, Channel: r.world.channel, Tools: r.tools, Runner: r.Runner, Date: r.head.Time,
		Output: filepath.Join(r.Root, "output"), Scratch: filepath.Join(r.Dir, "verify"),
		// Byte code of what did not change since the last rehearsal is kept: compiling it takes longer than all the rest.
		Pycache: filepath.Join(r.Dir, environmentsDir, "pycache"),
	}
	return r.world.channel.URL() + "; " + r.world.credential, nil
}

// upload publishes the artifacts, dependencies first.
func (r *run) upload(ctx context.Context) (string, error) {
	holdings, err := publish.Look(ctx, r.world.channel, r.workspace.Packages)
	if err != nil {
		return "", err
	}
	artifacts := publish.Artifacts{}
	for _, a := range r.artifacts {
		artifacts[a.Package] = a
	}
	if r.plan, err = r.publisher.Plan(ctx, holdings, artifacts); err != nil {
		return "", err
	}
	return r.publisher.Upload(ctx, r.world.writer, r.plan)
}

// index waits until every form of the index that a solver may read shows our digests.
func (r *run) index(ctx context.Context) (string, error) {
	return publish.Visible(ctx, r.world.channel, r.plan.Records(), publish.Wait{})
}

// download fetches every artifact and compares it with what was built.
func (r *run) download(ctx context.Context) (string, error) {
	if err := r.publisher.Download(ctx, r.plan, &r.verified); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d artifacts, each with the sha256 that was built", len(r.verified.Files)), nil
}

// install makes a clean environment from what came back from the channel.
func (r *run) install(ctx context.Context) (string, error) {
	if err := r.publisher.Install(ctx, r.plan, &r.verified); err != nil {
		return "", err
	}
	if !r.verified.Installed.Solved {
		r.missing("a conda solve of the environment", "there is no pixi here: dependencies came from PyPI, and the artifacts' own files were linked")
	}
	return r.verified.How(), nil
}

// imports imports every module of every package in the clean environment and compares the versions.
func (r *run) imports(ctx context.Context) (string, error) {
	if err := r.publisher.Import(ctx, r.plan, &r.verified); err != nil {
		return "", err
	}
	var said []string
	for _, i := range r.plan.Items {
		r.report.Packages = append(r.report.Packages, Package{
			Name: i.Package, Version: i.Record.Version, File: i.Record.FileName(), SHA256: i.Record.SHA256, Imports: r.verified.Imports[i.Package],
		})
		said = append(said, i.Package+" "+i.Record.Version)
	}
	return strings.Join(said, ", "), nil
}
