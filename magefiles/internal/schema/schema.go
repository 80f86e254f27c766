// Package schema generates the JSON schema of a pixi manifest for editors. It combines pixi's own schema with a schema of the tables that we read and
// pixi ignores.
//
//	schema.go      combines both, because editors accept only one schema for a file
//	tables.json    our tables, by name; a test compares them with the code that reads them
package schema

import (
	_ "embed"
	"encoding/json"
)

//go:embed tables.json
var tables []byte

// Pixis returns the address of pixi's own schema of a pixi.toml, for a version of pixi such as 0.77.0.
func Pixis(version string) string {
	return "https://pixi.sh/v" + version + "/schema/manifest/schema.json"
}

// Of returns the schema (JSON Schema, draft 7) of a pixi.toml: ours, combined with pixi's own, to which it refers by an address.
func Of(pixis string) ([]byte, error) {
	var ours map[string]map[string]any
	if err := json.Unmarshal(tables, &ours); err != nil {
		return nil, err
	}
	return json.MarshalIndent(map[string]any{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "pixi.toml with foopack's tables",
		"description": "A manifest of pixi, and [tool.release], [tool.image] and [tool.deploy], which foopack reads.",
		"allOf": []any{
			map[string]any{"$ref": pixis},
			map[string]any{"properties": map[string]any{"tool": map[string]any{"properties": map[string]any{
				"release": ours["release"],
				"image":   ours["image"],
				"deploy": map[string]any{
					"description":          "Deployment environments of a downstream, each by its name.",
					"type":                 "object",
					"additionalProperties": false,
					"patternProperties":    map[string]any{"^[a-z0-9][a-z0-9_-]{0,29}$": ours["deploy"]},
				},
			}}}},
		},
	}, "", "  ")
}
