// Package fleet takes an application of a rehearsal to hosts that stand in for those of its deployment environments, by the targets themselves, and says
// which image answered on which of them, and when.
//
//	fleet.go     what is delivered, and where to
//	delivery.go  the steps, and the CI beside them
package fleet

import (
	"context"
	"time"
)

// Image is the image of one downstream.
type Image struct {
	App        string
	Repository string
	Digest     string // "" where it was not built
	Revision   string
	Platforms  []string
	Labels     map[string]string
}

// Hosts stand in for those of the deployment environments of one downstream.
type Hosts interface {
	App() string
	Environments() []Environment // in the order in which they are delivered to
	Environ() []string           // by which whoever deploys is led to them
	// Push puts a stand-in for an image into its repository; tag is what it is found by, "" its digest alone.
	Push(ctx context.Context, i Image, tag string) (Image, error)
	// Offer lets them pull an image.
	Offer(i Image)
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
