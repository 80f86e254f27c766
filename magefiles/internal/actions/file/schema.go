package file

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

//go:embed workflow-v1.0.json
var schemaText []byte

//go:embed action.json
var actionText []byte // the schema of an action.yml, in the same form

// root is the definition of a whole file.
const root = "workflow-root-strict"

// definition is a definition of the schema: a value may be written in one of several ways.
type definition struct {
	Context  []string // what an expression may use; if empty, the context of the definition around it
	OneOf    []string `json:"one-of"`
	Allowed  []string `json:"allowed-values"`
	Mapping  *mapping
	Sequence *struct {
		Item string `json:"item-type"`
	}
	String *struct {
		Constant string
		NonEmpty bool `json:"require-non-empty"`
	}
	Boolean, Number, Null *struct{}
}

type mapping struct {
	Properties map[string]property
	Key        string `json:"loose-key-type"`
	Value      string `json:"loose-value-type"` // "" if only the keys of Properties are allowed
}

type property struct {
	Type     string
	Required bool
}

// UnmarshalJSON reads a property, which is written as the name of its definition, or as an object with it.
func (p *property) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.Type) == nil {
		return nil
	}
	type plain property
	return json.Unmarshal(data, (*plain)(p))
}

// schema holds the definitions by their names. Every name that a definition uses is defined.
var schema = sync.OnceValue(func() map[string]*definition {
	var all struct{ Definitions map[string]*definition }
	if err := json.Unmarshal(schemaText, &all); err != nil {
		panic(fmt.Sprintf("workflow-v1.0.json: %v", err)) // the file is part of the program
	}
	if err := json.Unmarshal(actionText, &all.Definitions); err != nil {
		panic(fmt.Sprintf("action.json: %v", err)) // the file is part of the program, too
	}
	for name, text := range map[string]string{
		"any":      `{"one-of": ["null", "boolean", "number", "string", "sequence", "mapping"]}`,
		"null":     `{"null": {}}`,
		"boolean":  `{"boolean": {}}`,
		"number":   `{"number": {}}`,
		"string":   `{"string": {}}`,
		"sequence": `{"sequence": {"item-type": "any"}}`,
		"mapping":  `{"mapping": {"loose-key-type": "string", "loose-value-type": "any"}}`,

		// In the schema, this definition has the name of another event, so that `on: repository_dispatch` would be refused.
		"repository-dispatch-string": `{"string": {"constant": "repository_dispatch"}}`,
	} { // the schema uses the other names without defining them
		d := &definition{}
		if err := json.Unmarshal([]byte(text), d); err != nil {
			panic(err) // the file is part of the program
		}
		all.Definitions[name] = d
	}
	return all.Definitions
})

// leaf is a definition without alternatives, and the names that an expression in it may use.
type leaf struct {
	*definition

	context []string
}

// `leaves` returns the ways that a definition allows.
func leaves(name string, context []string) []leaf {
	d := schema()[name]
	if d == nil {
		panic("workflow-v1.0.json does not define " + name) // the file is part of the program
	}
	if len(d.Context) > 0 {
		context = d.Context
	}
	if len(d.OneOf) == 0 {
		return []leaf{{
			definition: d,
			context:    context,
		}}
	}
	var all []leaf
	for _, one := range d.OneOf {
		all = append(all, leaves(one, context)...)
	}
	return all
}

// keys returns the keys that any of the ways knows, sorted.
func keys(of []leaf) []string {
	var all []string
	for _, l := range of {
		for k := range l.Mapping.Properties {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
