package condapkg

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// object is a JSON object with undecoded values.
type object struct{ values map[string]json.RawMessage }

// parseObject parses a JSON object. It rejects duplicate keys and trailing data.
func parseObject(b []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	} else if t != json.Delim('{') {
		return nil, fmt.Errorf("not a JSON object")
	}
	o := &object{values: map[string]json.RawMessage{}}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("broken JSON: %w", err)
		}
		key := t.(string) // object keys are always strings
		if _, twice := o.values[key]; twice {
			return nil, fmt.Errorf("the key %q occurs twice", key)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, fmt.Errorf("broken JSON at %q: %w", key, err)
		}
		o.values[key] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("broken JSON: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("there is more text after the JSON object")
	}
	return o, nil
}

// take decodes a value into `to`, if it is present and not null, and removes it from the object.
func (o *object) take(key string, to any) error {
	raw, ok := o.values[key]
	if !ok {
		return nil
	}
	delete(o.values, key)
	if string(raw) == "null" {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// `rest` returns the values that were not taken, except nulls. It returns nil if there are none.
func (o *object) rest() map[string]json.RawMessage {
	maps.DeleteFunc(o.values, func(_ string, raw json.RawMessage) bool { return string(raw) == "null" })
	if len(o.values) == 0 {
		return nil
	}
	return o.values
}

// encode returns compact JSON with sorted keys, in which "<", ">" and "&" are not escaped.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
