"""What a person does to look closer at an image: measure on it, and have others move along.

```
looked     what an image and its canvas have for that
along      the values along a ruler             (loaded when it is first asked for)
ruler      a line on an image, and a profile along it
```

Imports go down only.
"""
