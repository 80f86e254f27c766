// Package fleet takes an application of a rehearsal to hosts that stand in for those of its deployment environments, by the targets themselves, and says
// which image answered on which of them, and when.
//
//	fleet.go     what is delivered, and where to
//	delivery.go  the steps, and who approves
package fleet

import (
	"context"
	"time"
)

// Image is an image of the downstream.
type Image struct {
	Repository string
	Platforms  []string
	Labels     map[string]string
	Password   string // of the registry
}

// Hosts stand in for those of the deployment environments of one downstream.
type Hosts interface {
	App() string
	Environments() []Environment // in the order in which they are delivered to
	Environ() []string           // by which whoever deploys is led to them
	// Push puts a stand-in for an image into its repository.
	Push(ctx context.Context, i Image) (digest string, err error)
	Stays() []Stay
	Close()
}

// Environment is one deployment environment.
type Environment struct {
	Name  string
	After string // the one that has to run an image before this one gets it; "" for none
	Hosts int
	ByCI  bool // the CI deploys to it
}

// Stay is the time for which one image answered on a host.
type Stay struct {
	Environment string    `json:"environment"`
	Host        string    `json:"host"`
	Digest      string    `json:"digest"`
	From        time.Time `json:"from"`
	Until       time.Time `json:"until"` // its last answer
	Answers     int       `json:"answers"`
	Failed      int       `json:"failed,omitempty"` // requests that nothing answered, or not well, since the first of them
}
