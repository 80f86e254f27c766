package touched

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Matrix is what a job of GitHub's takes as its matrix, or as a part of it: `package` alone may stand beside other keys.
type Matrix struct {
	Package []string `json:"package"` // conda names, dependencies first
	Include []Leg    `json:"include"` // the same, with what they have
}

// Leg is one package of a matrix.
type Leg struct {
	Package string   `json:"package"`
	Folder  string   `json:"folder"` // from the workspace's root
	Tasks   []string `json:"tasks"`  // of the root manifest, that are for this package, sorted
}

// Work is what a CI has to do.
type Work struct {
	Matrix Matrix `json:"matrix"`
	Any    bool   `json:"any"`           // whether there is anything to do: an empty matrix is an error on GitHub
	All    string `json:"all,omitempty"` // why all packages are taken; "" where they were chosen
}

// NewWork lists packages with their tasks.
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
	return p
}

// Judge refuses what the jobs before the last one came to, in the form of toJSON(needs), unless each has passed or was skipped: what nothing touches is
// left out, and is no failure.
func Judge(needs string) error {
	var jobs map[string]struct{ Result string }
	if err := json.Unmarshal([]byte(needs), &jobs); err != nil || len(jobs) == 0 {
		return operr.NewUsage("give it `${{ toJSON(needs) }}`, by a variable of the step", "-needs does not say what jobs came to")
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
	return operr.New("see their logs", "not all jobs have passed: %s", strings.Join(bad, ", "))
}

// maxLegs is how many jobs GitHub makes of a matrix.
const maxLegs = 256

// HandOn makes the work the outputs `matrix` and `any` of a job, by set.
func (p Work) HandOn(set func(name, value string) error) error {
	if len(p.Matrix.Package) > maxLegs {
		return operr.New("have one job do it: `mage qa:all`", "GitHub makes at most %d jobs of a matrix, and there are %s to look at", maxLegs, operr.Count(len(p.Matrix.Package), "package"))
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
