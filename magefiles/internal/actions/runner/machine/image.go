package machine

import (
	_ "embed" // for the list
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

//go:embed programs.txt
var list string

// everywhere is the label of the programs that all images of the list have.
const everywhere = "all"

// usual is the image that is meant where the list has none of a label: it is that of ubuntu-latest too.
const usual = "ubuntu-24.04"

// programs are the lines of the list, by the label of the image.
var programs = sync.OnceValue(func() map[string][]string {
	all := map[string][]string{}
	label := ""
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if of, is := strings.CutPrefix(line, "["); is && strings.HasSuffix(of, "]") && !strings.Contains(of, " ") {
			label = strings.TrimSuffix(of, "]")
			continue
		}
		if !strings.HasPrefix(line, "#") {
			all[label] = append(all[label], strings.Fields(line)...)
		}
	}
	return all
})

// Images makes for each label of `runs-on` a folder with the programs that GitHub's image has, as far as this machine has them: on the PATH that GitHub's
// images begin with, or on the person's. What else this machine has is not there.
type Images struct {
	Dir  string   // for the folders
	Ours []string // this process's environment

	mu   sync.Mutex
	made map[string]runner.Image
}

// Of is the image of a label.
func (i *Images) Of(label string) (runner.Image, error) {
	label = strings.TrimSuffix(strings.ToLower(label), "-arm")
	if programs()[label] == nil {
		label = usual
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if one, there := i.made[label]; there {
		return one, nil
	}
	one := runner.Image{Path: filepath.Join(i.Dir, label)}
	if err := os.MkdirAll(one.Path, 0o755); err != nil {
		return one, err
	}
	where := map[string]string{}
	for _, dir := range slices.Backward(filepath.SplitList(imagePath + string(filepath.ListSeparator) + Path(i.Ours))) {
		entries, err := os.ReadDir(dir)
		if err != nil || !filepath.IsAbs(dir) {
			continue // a folder of PATH that is not there
		}
		for _, e := range entries {
			where[e.Name()] = filepath.Join(dir, e.Name())
		}
	}
	for _, p := range append(slices.Clone(programs()[everywhere]), programs()[label]...) {
		if info, err := os.Stat(where[p]); err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			one.Lacks = append(one.Lacks, p)
			continue
		}
		if err := os.Symlink(where[p], filepath.Join(one.Path, p)); err != nil && !errors.Is(err, os.ErrExist) {
			return one, err
		}
	}
	if i.made == nil {
		i.made = map[string]runner.Image{}
	}
	i.made[label] = one
	return one, nil
}
