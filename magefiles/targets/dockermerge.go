package targets

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// digestFile is where the digest of an image of some platforms is written, for docker:merge.
func digestFile(w *workspace.Workspace, downstream string, platforms []string) string {
	return filepath.Join(imageDir(w, downstream), strings.ReplaceAll(strings.Join(platforms, "-"), "/", "-")+".digest")
}

// readDigest is the digest in a file, "" where there is none.
func readDigest(file string) string { return strings.TrimSpace(string(readOr(file))) }

func writeDigest(w *workspace.Workspace, j *image.Job) error {
	if !j.Plan.Partial || !j.Result.Pushed {
		return nil
	}
	return atomicfile.WriteFile(digestFile(w, j.Plan.Dir, j.Plan.Platforms), []byte(j.Result.Digest+"\n"), 0o644)
}

// readDigests are those that were given, or those in the folder of images: of every set of its platforms.
func readDigests(w *workspace.Workspace, d *workspace.Downstream, given []string) ([]string, error) {
	if d.Image == nil {
		return nil, nil // the plan says that no image is made of it
	}
	for _, digest := range given {
		if err := image.CheckDigest(digest); err != nil {
			return nil, err
		}
	}
	if len(given) > 0 {
		return given, nil
	}
	var digests []string
	for set := range 1 << len(d.Image.Platforms) {
		var platforms []string
		for n, platform := range d.Image.Platforms {
			if set&(1<<n) != 0 {
				platforms = append(platforms, platform)
			}
		}
		if digest := readDigest(digestFile(w, d.Dir, platforms)); digest != "" {
			digests = append(digests, digest)
		}
	}
	if len(digests) == 0 {
		return nil, operr.NewUsage("push the platforms first, `-platform=… -push`, and bring the files output/images/FOLDER/*.digest here, or name -digests", "there is no digest to be merged")
	}
	return digests, nil
}

func (a *app) mergeImage(ctx context.Context, w *workspace.Workspace, name, digests string, f ImageFlags) error {
	d, err := w.Downstream(name)
	if err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = a.view.Err
	}
	given, err := readDigests(w, d, list(&digests))
	if err != nil {
		return err
	}
	yes := true
	f.Push = &yes
	j, err := a.newImageJob(ctx, w, d, f, imageEnvironment(), mustAsk)
	if err != nil {
		return err
	}
	if err := j.Check(); err != nil {
		return err
	}
	j.Plan.Warnings = nil // of a build, and nothing is built
	j.Foresee()
	a.showPlan(j.Plan, true)
	if err := a.confirm(ctx, isSet(f.Yes), "Merge "+operr.Count(len(given), "digest")+" into "+j.Plan.Repository+"?"); err != nil {
		return err
	}
	if err := j.Merge(ctx, given, a.view.Step); err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = os.Stdout
		return a.view.JSON(j.Result)
	}
	a.sayImage(j)
	return nil
}

func (a *app) planImage(ctx context.Context, w *workspace.Workspace, name string, verify bool, f ImageFlags) error {
	d, err := w.Downstream(name)
	if err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = a.view.Err
	}
	j, err := a.newImageJob(ctx, w, d, f, imageEnvironment(), mayAsk)
	if err != nil {
		return err
	}
	if verify {
		if err := j.Reproduce(ctx, a.view.Step); err != nil {
			return err
		}
	}
	if isSet(f.JSON) {
		a.view.Out = os.Stdout
		return a.view.JSON(j.Plan)
	}
	a.showPlan(j.Plan, true)
	text, err := json.MarshalIndent(j.Plan.Definition, "", "  ")
	if err != nil {
		return err
	}
	a.view.Line("%s", text)
	return nil
}
