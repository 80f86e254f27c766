package machine

import (
	_ "embed" // embeds the list
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

// everywhere is the label for programs that all listed images have.
const everywhere = "all"

// usual is the image for labels that are not listed. It is the image of ubuntu-latest.
const usual = "ubuntu-24.04"

// programs maps the label of an image to its lines in the list.
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

// Images creates a folder for each label of `runs-on`. It has those programs of GitHub's image that this machine has on the initial PATH of GitHub's
// images or on the user's PATH. Other programs of this machine are left out.
type Images struct {
	Dir  string   // parent of the folders
	Ours []string // this process's environment

	mu   sync.Mutex
	made map[string]runner.Image
}

// Find returns the image of a label.
func (i *Images) Find(label string) (runner.Image, error) {
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
			continue // a folder of PATH that does not exist
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
