"""Shapes on an image: drawn by hand or set by Python, and the same for both.

```
overlay  shapes, tools and the layer of one image
layer    the widget over the image, and what its pages are told
holder   the shapes, by name
telling  who is called when they change
```
"""
