package bump

import "github.com/foopack/foopack/magefiles/internal/gomodule"

// NoteGoModules notes which of the plan's tags Go would refuse for a module of the repository, whose work tree has its top at that
// folder: a tag of a package is one of the module that lies beside it as well.
func (p *Plan) NoteGoModules(top string) {
	tags, err := gomodule.Unusable(top, p.tagNames())
	if err != nil {
		p.Notes = append(p.Notes, "whether Go takes the new tags for versions cannot be told: "+err.Error())
	}
	for _, t := range tags {
		p.Notes = append(p.Notes, t.String())
	}
}
