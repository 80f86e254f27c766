package touched

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Matrix is the matrix of a GitHub job, or a part of one: `package` can also be used alone, next to other keys.
type Matrix struct {
	Package []string `json:"package"` // conda names, dependencies first
	Include []Leg    `json:"include"` // entries for the packages in Package, with folders and tasks
}

// Leg is one package in a matrix.
type Leg struct {
	Package string   `json:"package"`
	Folder  string   `json:"folder"` // relative to the workspace root
	Tasks   []string `json:"tasks"`  // tasks in the root manifest for this package, sorted
}

// Work lists the packages that CI must check.
type Work struct {
	Matrix Matrix `json:"matrix"`
	Any    bool   `json:"any"`           // whether there is anything to do; needed because an empty matrix is an error on GitHub
	All    string `json:"all,omitempty"` // why all packages are included; "" if they were selected
	next   string // next step if there is a single package with tasks; otherwise ""
}

// Next returns the command to run next.
func (w Work) Next() string {
	if !w.Any {
		return "`mage check`"
	}
	return cmp.Or(w.next, "`mage test:all`")
}

// NewWork returns the packages with their tasks.
func NewWork(w *workspace.Workspace, t Taken) Work {
	owners := newTaskOwners(w)
	tasks := map[string][]string{}
	for _, f := range w.Manifest.Features {
		for _, target := range f.Targets {
			for _, task := range target.Tasks {
				if name := owners.of(task.Name); name != "" && !task.Hidden() {
					tasks[name] = append(tasks[name], task.Name)
				}
			}
		}
	}
	p := Work{
		Matrix: Matrix{
			Package: []string{},
			Include: []Leg{},
		},
		Any: len(t.Packages) > 0,
		All: t.All,
	}
	for _, pkg := range t.Packages {
		of := tasks[pkg.Name]
		slices.Sort(of)
		of = slices.Compact(of)
		if of == nil {
			of = []string{}
		}
		p.Matrix.Package = append(p.Matrix.Package, pkg.Name)
		p.Matrix.Include = append(p.Matrix.Include, Leg{
			Package: pkg.Name,
			Folder:  pkg.Dir,
			Tasks:   of,
		})
	}
	if t.All == "" && len(t.Packages) == 1 {
		for _, verb := range []string{"qa", "test"} {
			if _, err := toolchain.PackageTask(w, verb, t.Packages[0]); err == nil {
				p.next = "`mage " + operr.Word(verb) + ":package " + operr.Word(t.Packages[0].Name) + "`"
			}
		}
	}
	return p
}

// Judge returns an error if any of the preceding jobs has failed. `needs` is the output of toJSON(needs). Skipped jobs are accepted, because they had
// nothing to do.
func Judge(needs string) error {
	var jobs map[string]struct{ Result string }
	if err := json.Unmarshal([]byte(needs), &jobs); err != nil || len(jobs) == 0 {
		return operr.NewUsage("pass `${{ toJSON(needs) }}` to -needs through an environment variable of the step", "-needs has no job results")
	}
	var bad []string
	for name, job := range jobs {
		if job.Result != "success" && job.Result != "skipped" {
			bad = append(bad, name+" ("+job.Result+")")
		}
	}
	if len(bad) == 0 {
		return nil
	}
	slices.Sort(bad)
	return operr.New("see the logs of these jobs", "not all jobs have passed: %s", strings.Join(bad, ", "))
}

// maxLegs is GitHub's limit on the number of jobs in a matrix.
const maxLegs = 256

// HandOn sets the job outputs `matrix` and `any` by calling set.
func (p Work) HandOn(set func(name, value string) error) error {
	if len(p.Matrix.Package) > maxLegs {
		return operr.New("check all packages in one job with `mage qa:all`", "GitHub makes at most %d jobs from a matrix, but the matrix has %s", maxLegs, operr.Count(len(p.Matrix.Package), "package"))
	}
	text, err := json.Marshal(p.Matrix)
	if err != nil {
		return err
	}
	if err := set("matrix", string(text)); err != nil {
		return err
	}
	return set("any", strconv.FormatBool(p.Any))
}
