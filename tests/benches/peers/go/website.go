package main

import (
	"context"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "demo.kommodore.dev/fleet"

// WebsiteReconciler keeps a page for every website, in every project.
type WebsiteReconciler struct {
	projects *Projects
	resync   time.Duration
	count    atomic.Int64
}

// Reconcile is what `kubebuilder create api` begins and its book teaches to complete.
func (r *WebsiteReconciler) Reconcile(ctx context.Context, req Request) (ctrl.Result, error) {
	r.count.Add(1)
	cl, err := r.projects.GetCluster(req.ClusterName)
	if err != nil {
		// The project went while its request was waiting.
		return ctrl.Result{}, nil
	}
	c := cl.GetClient()

	var site Website
	if err := c.Get(ctx, req.NamespacedName, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !site.DeletionTimestamp.IsZero() {
		if controllerutil.RemoveFinalizer(&site, finalizer) {
			return ctrl.Result{}, client.IgnoreNotFound(c.Update(ctx, &site))
		}
		return ctrl.Result{}, nil
	}
	if controllerutil.AddFinalizer(&site, finalizer) {
		if err := c.Update(ctx, &site); err != nil {
			return ctrl.Result{}, err
		}
	}

	page := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: site.Namespace, Name: site.Name}}
	if _, err := controllerutil.CreateOrUpdate(ctx, c, page, func() error {
		page.Data = map[string]string{"index.html": site.Spec.Host}
		return controllerutil.SetControllerReference(&site, page, cl.GetScheme())
	}); err != nil {
		return ctrl.Result{}, err
	}

	changed := meta.SetStatusCondition(&site.Status.Conditions, metav1.Condition{
		Type:               "Ready",
		Status:             metav1.ConditionTrue,
		Reason:             "ReconcileSucceeded",
		ObservedGeneration: site.Generation,
	})
	if changed || site.Status.ObservedGeneration != site.Generation {
		site.Status.ObservedGeneration = site.Generation
		if err := c.Status().Update(ctx, &site); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{RequeueAfter: r.resync}, nil
}
