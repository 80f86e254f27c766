// Package schema writes the JSON schema of a pixi manifest for editors: pixi's own, and that of the tables which pixi ignores and we read.
//
//	schema.go      both as one, since an editor takes one schema for a file
//	tables.json    our tables, by what they are called there; a test holds them against the code that reads them
package schema

import (
	_ "embed"
	"encoding/json"
)

//go:embed tables.json
var tables []byte

// Pixis is the address of pixi's own schema of a pixi.toml, as a version of pixi has it, such as 0.77.0.
func Pixis(version string) string {
	return "https://pixi.sh/v" + version + "/schema/manifest/schema.json"
}

// Of writes the schema (JSON Schema, draft 7) of a pixi.toml: pixi's own, which stands at an address, and ours.
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
