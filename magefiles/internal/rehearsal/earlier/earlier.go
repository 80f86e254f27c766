// Package earlier recreates the artifacts of earlier releases for the channel of a rehearsal.
//
//	earlier.go  builds them from their tags, and caches them
//	standin.go  stand-ins for packages that cannot be built
package earlier

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Release is a release that exists at the start of a world, on the channel and on GitHub.
type Release struct {
	Tag   string
	Files []string // the artifacts
}

// Maker builds the earlier releases.
type Maker struct {
	Runner    command.Runner
	Dir       string               // folder of the rehearsal, with the subfolder Folder
	Name      string               // workspace name, because clones may be in folders with other names
	Source    *gitrepo.Repo        // repository with the tags
	Workspace *workspace.Workspace // workspace at the rehearsed commit
	Today     time.Time            // date of stand-ins

	// Git runs git in Source.
	Git func(ctx context.Context, args ...string) (string, error)
	// Tools picks a workspace's toolchain.
	Tools func(ctx context.Context, w *workspace.Workspace) (toolchain.Toolchain, error)
	// Missing records what could not be built, and why.
	Missing func(what, why string)
}

// `past` holds the packages' earlier releases at one commit, to which their tags point.
type past struct {
	commit   string
	tags     []string
	versions map[string]string // versions by package name; takeGone adds to them
}

// pasts groups the packages' last releases by commit, in package order.
func pasts(last []released.Release) (all []*past) {
	for _, rel := range last {
		i := slices.IndexFunc(all, func(p *past) bool { return p.commit == rel.Commit })
		if i < 0 {
			i = len(all)
			all = append(all, &past{commit: rel.Commit, versions: map[string]string{}})
		}
		all[i].versions[rel.Package] = rel.Version
		if !slices.Contains(all[i].tags, rel.Tag) {
			all[i].tags = append(all[i].tags, rel.Tag)
		}
	}
	return all
}

// `kept` is the record stored next to artifacts that were built from a tag.
type kept struct {
	Commit string            `json:"commit"`
	Files  map[string]string `json:"files"` // sha256 by file name
}

const (
	Folder   = "released" // cache for artifacts that were built from tags
	keptFile = "kept.json"

	keptForm = 3 // increased when a new version of this program builds different artifacts from the same sources
)

// Make provides the artifacts of the last releases: built from their tags, or cached by an earlier rehearsal. Artifacts that can no longer be built
// are reported, and replaced by stand-ins. The evidence describes the source of each release.
func (m Maker) Make(ctx context.Context, last []released.Release) (made []Release, evidence string, err error) {
	var said []string
	for _, p := range pasts(last) {
		files, how, err := m.remake(ctx, p)
		if err != nil {
			return nil, "", err
		}
		said = append(said, fmt.Sprintf("%s: %s, %s", strings.Join(p.tags, ", "), operr.Count(len(files), "package"), how))
		for i, tag := range p.tags {
			rel := Release{Tag: tag}
			for _, f := range files {
				if len(p.tags) == 1 || strings.HasPrefix(p.tags[i], packageOf(f)+"/") {
					rel.Files = append(rel.Files, f)
				}
			}
			made = append(made, rel)
		}
	}
	return made, strings.Join(said, "; "), nil
}

// remake returns the artifacts of a past release, and describes their source.
func (m Maker) remake(ctx context.Context, p *past) (files []string, how string, err error) {
	dir, err := m.keptAt(ctx, p)
	if err != nil {
		return nil, "", err
	}
	if files := readKept(dir); files != nil {
		return files, "kept from an earlier rehearsal", nil
	}
	repo, w, when, err := m.checkoutPast(ctx, p)
	if err != nil && ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	p.takeGone(w)
	fresh := filepath.Join(m.Dir, "past.built")
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(fresh, 0o755)); err != nil {
		return nil, "", err
	}
	if err == nil {
		files, err = m.buildPast(ctx, p, repo, w, when, fresh)
	}
	if ctx.Err() != nil {
		return nil, "", context.Cause(ctx)
	}
	if len(files) == p.of(w) && err == nil {
		files, err := keep(fresh, dir, p.commit, files)
		return files, "built from the tag", err
	}
	stood, serr := m.standIn(p, w, err, fresh, files)
	return stood, "built from the tag as far as possible", serr
}

// takeGone adds packages that were tagged but are not in today's workspace, because they were removed or renamed. `w` is the workspace at the tags,
// or nil.
func (p *past) takeGone(w *workspace.Workspace) {
	if w == nil {
		return
	}
	for _, pkg := range w.Packages {
		if v := pkg.Version.Text; p.versions[pkg.Name] == "" && v != "" && slices.Contains(p.tags, released.TagPrefix(w, pkg.Name)+v) {
			p.versions[pkg.Name] = v
		}
	}
}

// `of` returns how many packages of the release exist at the tagged commit.
func (p *past) of(w *workspace.Workspace) int { return len(p.packages(w)) }

// packages returns the release's packages in the workspace at the tag, dependencies first.
func (p *past) packages(w *workspace.Workspace) (all []*workspace.Package) {
	if w == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.Order()), func(pkg *workspace.Package) bool {
		v, ok := p.versions[pkg.Name]
		return !ok || pkg.Version.Text != "" && pkg.Version.Text != v
	})
}

// checkoutPast loads the workspace of the tagged commit.
func (m Maker) checkoutPast(ctx context.Context, p *past) (*gitrepo.Repo, *workspace.Workspace, time.Time, error) {
	dir := filepath.Join(m.Dir, "past")
	if err := os.RemoveAll(dir); err != nil {
		return nil, nil, time.Time{}, err
	}
	if err := gitclone.Borrow(ctx, m.Source, dir, p.commit); err != nil {
		return nil, nil, time.Time{}, err
	}
	repo, err := gitrepo.Open(ctx, m.Runner, dir)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	root := filepath.Join(dir, filepath.FromSlash(m.Source.Prefix))
	w, err := workspace.LoadAs(root, m.Name)
	if err == nil && w.Root != root { // the upward search found the workspace around this clone
		return nil, nil, head.Time, operr.New("", "the tagged commit has no workspace in %s", cmp.Or(m.Source.Prefix, "its root folder"))
	}
	return repo, w, head.Time, err
}

// buildPast builds the packages of a past release into dir: all at once, or one by one if that fails. It returns the built packages, and why others
// failed.
func (m Maker) buildPast(ctx context.Context, p *past, repo *gitrepo.Repo, w *workspace.Workspace, when time.Time, dir string) (files []string, err error) {
	tools, err := m.Tools(ctx, w)
	if err != nil {
		return nil, err
	}
	from := sources.Sources{Runner: m.Runner, Workspace: w, Cache: filepath.Join(m.Dir, "sources")}.Commit(repo, p.commit, sources.TagsSeen(w, when))
	build := func(packages ...*workspace.Package) error {
		built, err := tools.Build(ctx, toolchain.Build{Workspace: w, Packages: packages, Dir: dir, SourceDate: when, Sources: from})
		for _, a := range built {
			files = append(files, a.Path)
		}
		return err
	}
	all := p.packages(w)
	if err = build(all...); err == nil || ctx.Err() != nil || len(all) < 2 {
		return files, err
	}
	err, files = nil, nil
	for _, pkg := range all {
		if failed := build(pkg); failed != nil && err == nil {
			err = failed
		}
	}
	return files, err
}

// keptAt returns the cache folder for artifacts built from a tag. Its name is a digest of all build inputs.
func (m Maker) keptAt(ctx context.Context, p *past) (string, error) {
	tree, err := m.Git(ctx, "rev-parse", "--verify", "--end-of-options", p.commit+"^{tree}")
	if err != nil {
		return "", err
	}
	stamp, err := m.Git(ctx, "rev-list", "--no-commit-header", "--max-count=1", "--format=%ct", p.commit, "--")
	if err != nil {
		return "", err
	}
	tools, err := m.Tools(ctx, m.Workspace)
	if err != nil {
		return "", err
	}
	how, err := tools.Describe(ctx)
	if err != nil {
		return "", err
	}
	// Marshal sorts map keys.
	what, err := json.Marshal([]any{keptForm, tree, stamp, how, m.Source.Prefix, p.versions})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(what)
	return filepath.Join(m.Dir, Folder, hex.EncodeToString(sum[:12])), nil
}

// readKept returns the artifacts in a cache folder, or nil if one of them has changed.
func readKept(dir string) (files []string) {
	data, err := os.ReadFile(filepath.Join(dir, keptFile))
	var k kept
	if err != nil || json.Unmarshal(data, &k) != nil {
		return nil
	}
	for name, sum := range k.Files {
		path := filepath.Join(dir, filepath.Base(name))
		if rec, err := condapkg.Identify(path); err != nil || rec.SHA256 != sum {
			return nil
		}
		files = append(files, path)
	}
	slices.Sort(files)
	return files
}

// keep moves built artifacts to the cache for the next rehearsal.
func keep(from, to, commit string, built []string) (files []string, err error) {
	k := kept{Commit: commit, Files: map[string]string{}}
	for _, path := range built {
		rec, err := condapkg.Identify(path)
		if err != nil {
			return nil, err
		}
		k.Files[filepath.Base(path)] = rec.SHA256
		files = append(files, filepath.Join(to, filepath.Base(path)))
	}
	data, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := atomicfile.WriteFile(filepath.Join(from, keptFile), append(data, '\n'), 0o644); err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.RemoveAll(to)); err != nil {
		return nil, err
	}
	return files, os.Rename(from, to)
}

func packageOf(file string) string {
	name, _ := condapkg.ParseFileName(filepath.Base(file))
	return name.Name
}
