package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// lackingLinks looks at submodules, and into those that are there.
func (r *Repo) lackingLinks(ctx context.Context, links []entry, packed, named []string) ([]Lack, error) {
	var found []Lack
	var there []string
	for _, e := range links {
		if e.unseen || !r.isCheckedOut(e.path) {
			found = append(found, Lack{
				Path: e.path, Kind: Missing, Why: "is a submodule, and its files are not here",
				Next: "`git submodule update --init --recursive " + e.path + "`; in a workflow, `submodules: recursive` for actions/checkout",
			})
			continue
		}
		if touches(packed, e.path) {
			there = append(there, e.path)
		}
	}
	differ, err := r.differing(ctx, there)
	if err != nil {
		return nil, err
	}
	found = append(found, differ...)
	for _, link := range there {
		sub := &Repo{Top: filepath.Join(r.Top, filepath.FromSlash(link)), runner: r.runner}
		more, err := sub.lacking(ctx, within(packed, link), within(named, link))
		if err != nil {
			return nil, err
		}
		for _, l := range more {
			l.Path = path.Join(link, l.Path)
			found = append(found, l)
		}
	}
	return found, nil
}

// isCheckedOut reports whether a submodule's folder is a repository.
func (r *Repo) isCheckedOut(link string) bool {
	_, err := os.Lstat(filepath.Join(r.Top, filepath.FromSlash(link), ".git"))
	return err == nil
}

// differing returns the submodules that are at another commit than the recorded one, or that have changes, whatever the
// configuration says of telling it.
func (r *Repo) differing(ctx context.Context, links []string) ([]Lack, error) {
	if len(links) == 0 {
		return nil, nil
	}
	args := []string{"status", "--porcelain=v2", "-z", "--ignore-submodules=none", "--untracked-files=all", "--no-renames", "--"}
	for _, l := range links {
		args = append(args, ":(top,literal)"+l)
	}
	out, err := r.git(ctx, args...)
	if err != nil {
		return nil, failed(err, "asking git for the submodules of %s", r.Top)
	}
	var found []Lack
	for line := range strings.SplitSeq(out, "\x00") {
		f := strings.SplitN(line, " ", 9)
		if len(f) < 9 || f[0] != "1" || !strings.HasPrefix(f[2], "S") {
			continue
		}
		l := Lack{Path: f[8], Kind: Differs, Why: "is a submodule with changes that are not committed there", Next: "commit them there, and the submodule here; or put them away"}
		if f[2][1] == 'C' || f[1] != ".M" {
			l.Why = "is a submodule at another commit than the one that is committed here"
			l.Next = "commit it, or `git submodule update " + l.Path + "`"
		}
		found = append(found, l)
	}
	return found, nil
}

// module is where submodules of a repository may be had: the folders that git keeps for it, the first with its
// configuration; its work tree; and its address, which theirs may be relative to.
type module struct {
	dirs []string
	top  string
	url  string
}

// filler fills the submodules of a clone of ours.
type filler struct {
	*Repo
	address func(path string) bool // says whether a submodule may be asked for at its address
	failed  map[string]string      // why one could not be had, by path
}

// fill checks out the submodules of a clone of ours that the original has on this machine. Others stay empty folders.
func (r *Repo) fill(ctx context.Context, clone string) error {
	f := &filler{Repo: r, address: func(string) bool { return false }, failed: map[string]string{}}
	return f.fill(ctx, f.origin(ctx), clone, "")
}

// Complete fetches what clone, a clone of r, lacks in the folders (as of [Repo.Lacking]), and returns what it lacks then.
// No hook runs, and nothing asks at the terminal.
func (r *Repo) Complete(ctx context.Context, clone *Repo, packed, named []string) ([]Lack, error) {
	lacks, err := clone.Lacking(ctx, packed, named)
	if err != nil || len(lacks) == 0 {
		return lacks, err
	}
	dirs := clone.below(append(append([]string(nil), packed...), named...))
	f := &filler{Repo: r, address: func(link string) bool { return touches(dirs, link) }, failed: map[string]string{}}
	if err := f.fill(ctx, f.origin(ctx), clone.Top, ""); err != nil {
		return nil, err
	}
	lacks, err = clone.Lacking(ctx, packed, named)
	for i, l := range lacks {
		lacks[i].Detail = f.failed[l.Path]
	}
	return lacks, err
}

// origin is the module that a work tree of ours is.
func (r *Repo) origin(ctx context.Context) module {
	m := module{dirs: []string{r.Dir}, top: r.Top}
	if r.Common != r.Dir {
		m.dirs = append(m.dirs, r.Common)
	}
	m.url, _ = r.git(ctx, "config", "--get", "remote.origin.url") // without one, a relative address is of no use
	return m
}

// fill fills the submodules of a work tree of ours, and theirs. prefix is its path from the top of the clone.
func (f *filler) fill(ctx context.Context, m module, dir, prefix string) error {
	clone := &Repo{Top: dir, runner: f.runner}
	entries, err := clone.entries(ctx)
	if err != nil {
		return err
	}
	var settings map[string]submodule
	for _, e := range entries {
		if e.mode != linkMode {
			continue
		}
		if settings == nil {
			settings = clone.submodules(ctx)
		}
		from := f.modules(ctx, m, e.path, settings[e.path])
		at := path.Join(prefix, e.path)
		if !clone.isCheckedOut(e.path) && !f.take(ctx, from, filepath.Join(dir, filepath.FromSlash(e.path)), at, e.object) {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			continue
		}
		if err := f.fill(ctx, from, filepath.Join(dir, filepath.FromSlash(e.path)), at); err != nil {
			return err
		}
	}
	return nil
}

// submodule is what .gitmodules says of one.
type submodule struct{ name, url string }

// submodules reads .gitmodules, by path.
func (r *Repo) submodules(ctx context.Context) map[string]submodule {
	out, err := r.git(ctx, "config", "--null", "--file", ".gitmodules", "--get-regexp", `^submodule\.`)
	byName := map[string]map[string]string{}
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, _ := strings.Cut(kv, "\n")
		key = strings.TrimPrefix(key, "submodule.")
		if dot := strings.LastIndexByte(key, '.'); err == nil && dot > 0 {
			if byName[key[:dot]] == nil {
				byName[key[:dot]] = map[string]string{}
			}
			byName[key[:dot]][key[dot+1:]] = value
		}
	}
	found := map[string]submodule{}
	for name, s := range byName {
		if !strings.Contains("/"+name+"/", "/../") { // a name is a folder in git's own
			found[s["path"]] = submodule{name, s["url"]}
		}
	}
	return found
}

// modules says where a submodule of m may be had.
func (f *filler) modules(ctx context.Context, m module, link string, s submodule) module {
	var from module
	if m.top != "" {
		top := filepath.Join(m.top, filepath.FromSlash(link))
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			from.top = top
			if dir, err := (&Repo{Top: top, runner: f.runner}).git(ctx, "rev-parse", "--absolute-git-dir"); err == nil {
				from.dirs = append(from.dirs, filepath.FromSlash(dir))
			}
		}
	}
	for _, d := range m.dirs {
		dir := filepath.Join(d, "modules", filepath.FromSlash(s.name))
		if st, err := os.Stat(filepath.Join(dir, "HEAD")); s.name != "" && err == nil && !st.IsDir() {
			from.dirs = append(from.dirs, dir)
		}
	}
	from.url = relativeTo(m.url, s.url)
	if own, err := f.git(ctx, "config", "--file", filepath.Join(m.own(), "config"), "--includes", "--get", "submodule."+s.name+".url"); err == nil && s.name != "" && own != "" {
		from.url = own // what the person has made of it
	}
	return from
}

// own is the folder with the configuration.
func (m module) own() string {
	if len(m.dirs) == 0 {
		return os.DevNull
	}
	return m.dirs[len(m.dirs)-1]
}

// relativeTo gives a relative address, "../other.git", that of the repository to which it is relative.
func relativeTo(base, url string) string {
	if !strings.HasPrefix(url, "./") && !strings.HasPrefix(url, "../") {
		return url
	}
	if base == "" {
		return ""
	}
	base, separator := strings.TrimRight(base, "/"), "/"
	for {
		if rest, ok := strings.CutPrefix(url, "./"); ok {
			url = rest
			continue
		}
		rest, ok := strings.CutPrefix(url, "../")
		if !ok {
			return base + separator + url
		}
		url = rest
		if at := strings.LastIndexAny(base, "/:"); at >= 0 {
			separator, base = base[at:at+1], base[:at]
		}
	}
}

// take checks a submodule out: from this machine, or from its address where that may be asked.
func (f *filler) take(ctx context.Context, from module, dir, at, commit string) bool {
	for _, local := range from.dirs {
		// One that was put away keeps a work tree in mind that is gone, which pack-objects would enter.
		ours := call{
			args:     []string{"--upload-pack=env GIT_WORK_TREE=. git -c uploadpack.allowAnySHA1InWant=true upload-pack", local, commit},
			settings: []string{"protocol.file.allow=always"}, // it is ours
		}
		if f.checkOut(ctx, dir, commit, local, ours) == nil {
			return true
		}
	}
	if !f.address(at) || context.Cause(ctx) != nil {
		return false
	}
	if from.url == "" || strings.HasPrefix(from.url, "-") {
		f.failed[at] = ".gitmodules does not say where it is to be had"
		return false
	}
	// As `git submodule` does it: an address that others have committed reaches no file and no program.
	theirs := call{args: []string{from.url, commit}, set: []string{"GIT_PROTOCOL_FROM_USER=0"}}
	err := f.checkOut(ctx, dir, commit, "", theirs)
	if err != nil {
		theirs.args = []string{from.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}
		err = f.checkOut(ctx, dir, commit, "", theirs)
	}
	if err != nil {
		f.failed[at] = cmp.Or(detail(err), err.Error())
	}
	return err == nil
}

// checkOut makes a repository of an empty folder, fetches, and checks the commit out; or leaves the folder empty. fetch has the
// arguments behind those of every fetch.
func (f *filler) checkOut(ctx context.Context, dir, commit, local string, fetch call) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dir))
		}
	}()
	format := "sha1"
	if len(commit) > 40 {
		format = "sha256"
	}
	sub := &Repo{Top: dir, runner: f.runner}
	if _, err := sub.git(ctx, "init", "--quiet", "--template=", "--object-format="+format, "--initial-branch=main"); err != nil {
		return err
	}
	for _, s := range asCommitted {
		key, value, _ := strings.Cut(s, "=")
		if _, err := sub.git(ctx, "config", key, value); err != nil {
			return err
		}
	}
	if local != "" {
		if err := f.carry(ctx, local, dir); err != nil {
			return err
		}
	}
	fetch.args = append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}, fetch.args...)
	if _, err := sub.talk(ctx, fetch); err != nil {
		return err
	}
	// A push that looks whether submodules are out has to see that this one is.
	if _, err := sub.git(ctx, "update-ref", "refs/remotes/origin/recorded", commit); err != nil {
		return err
	}
	_, err = sub.git(ctx, "checkout", "--quiet", "--detach", commit)
	return err
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
