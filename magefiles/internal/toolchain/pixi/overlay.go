package pixi

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// pixiManifest is the only manifest in the folder of links that pixi could also read.
const pixiManifest = manifest.PixiFile

// overlay returns the folder in which to run a task. This is the task's own folder, unless a downstream must get the workspace's packages from other
// sources than its manifest names. In that case it is a folder of symlinks to everything in the downstream's folder, with a different manifest. That
// folder is in the workspace's .pixi and has its own environment and lock file. The downstream's files are not changed.
func overlay(t toolchain.Task) (string, error) {
	s := t.Supply
	if s == nil || !s.Sources && len(s.Moved) == 0 {
		return t.Dir, nil
	}
	i := slices.IndexFunc(s.Workspace.Downstreams, func(d *workspace.Downstream) bool {
		return filepath.Join(s.Workspace.Root, filepath.FromSlash(d.Dir)) == filepath.Clean(t.Dir)
	})
	if i < 0 {
		return t.Dir, nil
	}
	d, kind := s.Workspace.Downstreams[i], "server"
	if s.Sources {
		kind = "sources"
	}
	if path.Base(d.Manifest.Path) != pixiManifest {
		return "", operr.New("move the [workspace] table of this manifest to a pixi.toml", "%s: tasks can run with the packages of this workspace only if the manifest is a pixi.toml", d.Manifest.Path)
	}
	changed, err := supply(d, s)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(s.Workspace.Root, manifest.PixiDir, "overlay", kind, filepath.FromSlash(d.Dir))
	if err := links(t.Dir, dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, pixiManifest), changed, 0o644)
}

// links fills `dir` with symlinks to the entries of `from`, except for the manifest and pixi's own files.
func links(from, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range old {
		if e.Type()&os.ModeSymlink == 0 {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains([]string{pixiManifest, workspace.LockFile, manifest.PixiDir}, e.Name()) {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// supply returns the downstream's manifest with different sources for our packages. All other bytes are unchanged.
func supply(d *workspace.Downstream, s *toolchain.Supply) ([]byte, error) {
	src, err := beneath.Read(filepath.Join(s.Workspace.Root, filepath.FromSlash(d.Manifest.Path)))
	if err != nil {
		return nil, err
	}
	doc, err := tomledit.Parse(d.Manifest.Path, src)
	if err != nil {
		return nil, err
	}
	channels := doc.Root.Get("workspace", "channels")
	if !channels.Is(tomledit.Array) {
		return nil, operr.New("add `channels = [\"conda-forge\"]` to [workspace]", "%s: [workspace] has no list of channels", d.Manifest.Path)
	}
	if !s.Sources {
		return tomledit.Splices(src, splice(src, channels, array(move(d.Manifest.Channels, s.Moved))))
	}
	edits, err := findPaths(d, s.Workspace, src)
	if err != nil {
		return nil, err
	}
	text := array(union(s.Workspace.Manifest.Channels, listOthers(d.Manifest.Channels, s.Channel)))
	switch preview := doc.Root.Get("workspace", "preview"); {
	case slices.Contains(d.Manifest.Preview, "pixi-build") || preview.True():
	case preview != nil:
		edits = append(edits, splice(src, preview, array(append(d.Manifest.Preview, "pixi-build"))))
	default:
		text += "\npreview = [\"pixi-build\"]"
	}
	return tomledit.Splices(src, append(edits, splice(src, channels, text))...)
}

// findPaths returns edits that replace the version in each requirement on one of our packages with the path of its folder.
func findPaths(d *workspace.Downstream, w *workspace.Workspace, src []byte) ([]tomledit.Splice, error) {
	var edits []tomledit.Splice
	for _, r := range d.Requires {
		spec := r.Dependency.Spec
		if r.File != d.Manifest.Path || r.Inherited && r.Table != "workspace.dependencies" {
			continue
		}
		p, err := w.Package(r.Package)
		if err != nil {
			return nil, err
		}
		if r.Kind != manifest.Conda || spec.Node == nil || spec.Source() || spec.Build != "" || spec.Channel != "" {
			return nil, operr.New("write only a version in this requirement, without a URL, a path or a build", "%s: cannot replace the requirement on %s with the folder %s", r.Pos, r.Name, p.Dir)
		}
		folder := strconv.Quote(filepath.Join(w.Root, filepath.FromSlash(p.Dir)))
		if _, table := spec.Raw.(map[string]any); table {
			start, end := spec.Node.KeyStart, spec.Node.End
			edits = append(edits, tomledit.Splice{Start: start, Old: string(src[start:end]), New: "path = " + folder})
			continue
		}
		edits = append(edits, splice(src, spec.Node, "{ path = "+folder+" }"))
	}
	return edits, nil
}

func splice(src []byte, n *tomledit.Node, text string) tomledit.Splice {
	return tomledit.Splice{Start: n.Start, Old: string(src[n.Start:n.End]), New: text}
}

func array(values []string) string { return "[" + quoteList(values) + "]" }

// listOthers returns the channels other than ours.
func listOthers(channels []string, ours string) []string {
	return slices.DeleteFunc(slices.Clone(channels), func(c string) bool { return isNamed(c, ours) })
}

// move replaces channels with the locations to read them from.
func move(channels []string, to map[string]string) []string {
	out := slices.Clone(channels)
	for i, c := range out {
		out[i] = cmp.Or(to[c], c)
	}
	return out
}

// isNamed reports whether a channel, given as a URL or a name, has the name `name`.
func isNamed(channel, name string) bool { return path.Base(strings.TrimSuffix(channel, "/")) == name }

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, c := range b {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
